-- Notes by how much the notices of a day have become more or fewer, by template, status and reason,
-- so that the figures need not read the notices. The triggers oa_bridge_notices_inserted,
-- oa_bridge_notices_updated and oa_bridge_notices_deleted call it. It inserts alone, so that nobody
-- waits for anybody; app/notices/day_counts.py adds up what it inserts.
CREATE OR REPLACE FUNCTION oa_bridge_notices_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO notice_day_counts (appid, day, template_id, status, errcode, reason, count)
        SELECT appid, oa_bridge_day(created_at), template_id, status,
               CASE WHEN status = 'failed' THEN errcode END,
               oa_bridge_notice_reason(status, errcode, errmsg, result), count(*)
        FROM new_rows
        GROUP BY 1, 2, 3, 4, 5, 6;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO notice_day_counts (appid, day, template_id, status, errcode, reason, count)
        SELECT appid, oa_bridge_day(created_at), template_id, status,
               CASE WHEN status = 'failed' THEN errcode END,
               oa_bridge_notice_reason(status, errcode, errmsg, result), -count(*)
        FROM old_rows
        GROUP BY 1, 2, 3, 4, 5, 6;
    ELSE
        INSERT INTO notice_day_counts (appid, day, template_id, status, errcode, reason, count)
        SELECT appid, oa_bridge_day(created_at), template_id, status,
               CASE WHEN status = 'failed' THEN errcode END,
               oa_bridge_notice_reason(status, errcode, errmsg, result), sum(sign)
        FROM (SELECT 1 AS sign, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows) AS changed
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(sign) <> 0;
    END IF;
    RETURN NULL;
END
$$;
