-- Returns why a notice did not arrive, in the words of WeChat's report or of the service; an empty
-- text if it may have arrived, or if WeChat's error code says it.
CREATE OR REPLACE FUNCTION oa_bridge_notice_reason(
    status text, errcode bigint, errmsg text, result text
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN status = 'undelivered' THEN COALESCE(result, '')
                WHEN status = 'skipped' OR (status = 'failed' AND errcode IS NULL)
                THEN COALESCE(errmsg, '')
                ELSE '' END
$$;
