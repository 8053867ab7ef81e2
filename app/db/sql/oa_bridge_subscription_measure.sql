-- Returns the figure in which an answer to a popup, or the report of a delivery, is counted.
CREATE OR REPLACE FUNCTION oa_bridge_subscription_measure(
    action text, status text, error_code text
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN action = 'popup' AND status = 'accept' THEN 'accepted'
                WHEN action = 'popup' AND status = 'reject' THEN 'rejected'
                WHEN action = 'popup' AND status = 'ban' THEN 'banned'
                WHEN action = 'change' AND status IN ('reject', 'ban') THEN 'withdrawn'
                WHEN action = 'change' AND status = 'accept' THEN 'restored'
                WHEN action = 'sent' AND error_code = '0' THEN 'delivered'
                WHEN action = 'sent' THEN 'failed'
                ELSE 'other' END
$$;
