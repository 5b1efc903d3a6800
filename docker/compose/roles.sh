#!/bin/bash
# Run by the PostgreSQL image when the database is made: the service's role, which is no superuser, and the one for those who only read.
set -euo pipefail
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /secrets/database-password`
CREATE ROLE penstock_analyst NOLOGIN;
CREATE ROLE penstock LOGIN PASSWORD :'password';
-- `ddl: create` makes the schema "penstock" and the mapped tables. docs/security.md has the statements for a service that may not.
ALTER DATABASE telemetry OWNER TO penstock;
SQL
