-- A database user for `oa-bridge serve` and `oa-bridge worker` that reads and writes rows and can
-- neither make, change nor remove tables. `oa-bridge migrate` goes on as the owner of the database.
--
-- Run it with psql in the database of the service, as the user that runs `migrate` (it needs
-- CREATEROLE) or as a superuser that `migrate` runs as, before the first migration or after any:
--
--   APP_PASSWORD=... psql "$DATABASE_URL" --no-psqlrc --file deploy/postgres/roles.sql
--
-- It may run again at any time, for instance to change the password.
\set ON_ERROR_STOP on
\set QUIET on
\getenv app_password APP_PASSWORD
\if :{?app_password}
\else
  \echo 'Set APP_PASSWORD to the password that oa_bridge_app shall have.'
  SELECT 1 / 0 AS "APP_PASSWORD is not set";
\endif

BEGIN;

SELECT 'CREATE ROLE oa_bridge_app LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oa_bridge_app') \gexec
ALTER ROLE oa_bridge_app PASSWORD :'app_password';

-- What everybody may do by default: make schemas and temporary tables.
REVOKE CREATE, TEMPORARY ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO oa_bridge_app;
GRANT USAGE ON SCHEMA public TO oa_bridge_app;

-- The tables that are there, and those that later migrations of this user make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO oa_bridge_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO oa_bridge_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO oa_bridge_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO oa_bridge_app;

-- Who did what stays as it was written. A migration does the same where it finds this user.
SELECT 'REVOKE UPDATE ON audit_log FROM oa_bridge_app'
WHERE to_regclass('public.audit_log') IS NOT NULL \gexec

COMMIT;
