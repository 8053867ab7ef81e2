-- Returns the lowest UUIDv7 of a time: the ids of all callbacks since then are not below it.
CREATE OR REPLACE FUNCTION oa_bridge_first_id(at timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CAST(lpad(to_hex(CAST(floor(extract(epoch FROM at) * 1000) AS bigint)), 12, '0')
                || '70008000000000000000' AS uuid)
$$;
