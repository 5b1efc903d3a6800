-- For those who query the data: what every column means, how fresh every table is, the last row of each device, and a role that may read.

-- No program has written this table so far.
DROP TABLE penstock.mapping;

CREATE TABLE penstock.mapping (
    pool        text        NOT NULL,
    name        text        NOT NULL,
    description text,
    patterns    text[]      NOT NULL,
    qos         smallint    NOT NULL,
    decoder     text        NOT NULL,
    tables      text[]      NOT NULL,
    digest      text        NOT NULL,
    loaded      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool, name)
);
COMMENT ON TABLE penstock.mapping IS 'Data dictionary: which topics become rows of which tables; as the process of a pool that started or reloaded last has it';
COMMENT ON COLUMN penstock.mapping.pool IS 'pool.client_id of the service''s configuration: each pool has its own set of mappings';
COMMENT ON COLUMN penstock.mapping.name IS 'Name of the mapping: its file name without .yaml';
COMMENT ON COLUMN penstock.mapping.description IS 'The mapping''s own words';
COMMENT ON COLUMN penstock.mapping.patterns IS 'Topic patterns';
COMMENT ON COLUMN penstock.mapping.qos IS 'The highest QoS that the service asks the broker for';
COMMENT ON COLUMN penstock.mapping.decoder IS 'How payloads are read: json, csv, binary and so on';
COMMENT ON COLUMN penstock.mapping.tables IS 'Tables that it writes';
COMMENT ON COLUMN penstock.mapping.digest IS 'Of all that the dictionary says of the mapping: the same as long as nothing of that changes';
COMMENT ON COLUMN penstock.mapping.loaded IS 'When a process first loaded it as it stands here';

CREATE TABLE penstock.mapping_column (
    pool        text     NOT NULL,
    mapping     text     NOT NULL,
    block       integer  NOT NULL,
    position    integer  NOT NULL,
    table_name  text     NOT NULL,
    column_name text     NOT NULL,
    type        text     NOT NULL,
    not_null    boolean  NOT NULL,
    unit        text,
    comment     text,
    source      text     NOT NULL,
    PRIMARY KEY (pool, mapping, block, position),
    FOREIGN KEY (pool, mapping) REFERENCES penstock.mapping (pool, name) ON DELETE CASCADE
);
COMMENT ON TABLE penstock.mapping_column IS 'Data dictionary: where each column of the mapped tables comes from';
COMMENT ON COLUMN penstock.mapping_column.pool IS 'As in penstock.mapping';
COMMENT ON COLUMN penstock.mapping_column.mapping IS 'Name of the mapping';
COMMENT ON COLUMN penstock.mapping_column.block IS 'Which block of the mapping''s rows, from 1; a mapping without rows has one';
COMMENT ON COLUMN penstock.mapping_column.position IS 'Place among the columns of the block, from 1';
COMMENT ON COLUMN penstock.mapping_column.table_name IS 'The table, as the mapping names it';
COMMENT ON COLUMN penstock.mapping_column.column_name IS 'The column';
COMMENT ON COLUMN penstock.mapping_column.type IS 'Type that the mapping declares';
COMMENT ON COLUMN penstock.mapping_column.not_null IS 'Whether a row without this value is refused';
COMMENT ON COLUMN penstock.mapping_column.unit IS 'Unit to which the mapping converts; NULL where it converts nothing';
COMMENT ON COLUMN penstock.mapping_column.comment IS 'The mapping''s own words';
COMMENT ON COLUMN penstock.mapping_column.source IS 'What it reads: paths in the payload ($ is the payload), parts of the topic, properties of the message';

CREATE TABLE penstock.mapped_table (
    pool        text   NOT NULL,
    table_name  text   NOT NULL,
    mappings    text[] NOT NULL,
    key         text[] NOT NULL,
    time_column text,
    on_conflict text   NOT NULL,
    comment     text,
    PRIMARY KEY (pool, table_name)
);
COMMENT ON TABLE penstock.mapped_table IS 'Data dictionary: the tables that mappings write';
COMMENT ON COLUMN penstock.mapped_table.pool IS 'As in penstock.mapping';
COMMENT ON COLUMN penstock.mapped_table.table_name IS 'The table, as mappings name it: table or schema.table';
COMMENT ON COLUMN penstock.mapped_table.mappings IS 'The mappings that write it';
COMMENT ON COLUMN penstock.mapped_table.key IS 'Columns that tell rows apart; empty where the mapping names none';
COMMENT ON COLUMN penstock.mapped_table.time_column IS 'The column that says of when a row is; NULL where there is none';
COMMENT ON COLUMN penstock.mapped_table.on_conflict IS 'What becomes of a row whose key is there: append (both stay), ignore, update or merge';
COMMENT ON COLUMN penstock.mapped_table.comment IS 'The mapping''s own words';

CREATE VIEW penstock.dictionary AS
SELECT c.table_name, c.column_name, min(c.type) AS type, bool_and(c.not_null) AS not_null, min(c.unit) AS unit, min(c.comment) AS comment,
       string_agg(DISTINCT c.source, '; ') AS source, array_agg(DISTINCT c.mapping) AS mappings
FROM penstock.mapping_column AS c
GROUP BY c.table_name, c.column_name
ORDER BY c.table_name, min(c.block), min(c.position);
COMMENT ON VIEW penstock.dictionary IS 'One row for each column of each mapped table: what it means and where it comes from';
COMMENT ON COLUMN penstock.dictionary.table_name IS 'The table, as mappings name it';
COMMENT ON COLUMN penstock.dictionary.column_name IS 'The column';
COMMENT ON COLUMN penstock.dictionary.type IS 'Type that mappings declare';
COMMENT ON COLUMN penstock.dictionary.not_null IS 'Whether a row without this value is refused, by every mapping that writes it';
COMMENT ON COLUMN penstock.dictionary.unit IS 'Unit to which the mapping converts; NULL where it converts nothing';
COMMENT ON COLUMN penstock.dictionary.comment IS 'The mapping''s own words';
COMMENT ON COLUMN penstock.dictionary.source IS 'What is read for it; several where several mappings write it';
COMMENT ON COLUMN penstock.dictionary.mappings IS 'The mappings that write it';

-- Replaces what the dictionary says of a pool. What has not changed is not written.
CREATE FUNCTION penstock.load_dictionary(pool text, mappings jsonb, tables jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    entry jsonb;
BEGIN
    -- Processes of one pool start together.
    PERFORM pg_advisory_xact_lock(hashtextextended('penstock.load_dictionary ' || load_dictionary.pool, 0));
    DELETE FROM penstock.mapping AS m
    WHERE m.pool = load_dictionary.pool AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(mappings) AS e WHERE e ->> 'name' = m.name AND md5(e::text) = m.digest
    );
    FOR entry IN SELECT e FROM jsonb_array_elements(mappings) AS e LOOP
        INSERT INTO penstock.mapping (pool, name, description, patterns, qos, decoder, tables, digest)
        SELECT load_dictionary.pool, entry ->> 'name', entry ->> 'description', ARRAY(SELECT jsonb_array_elements_text(entry -> 'patterns')),
               (entry ->> 'qos')::smallint, entry ->> 'decoder', ARRAY(SELECT jsonb_array_elements_text(entry -> 'tables')), md5(entry::text)
        ON CONFLICT ON CONSTRAINT mapping_pkey DO NOTHING;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO penstock.mapping_column (
            pool, mapping, block, position, table_name, column_name, type, not_null, unit, comment, source
        )
        SELECT load_dictionary.pool, entry ->> 'name', c.block, c.position, c.table_name, c.column_name, c.type, c.not_null, c.unit, c.comment, c.source
        FROM jsonb_to_recordset(entry -> 'columns') AS c (
            block integer, position integer, table_name text, column_name text, type text, not_null boolean, unit text, comment text, source text
        );
    END LOOP;
    DELETE FROM penstock.mapped_table AS t
    WHERE t.pool = load_dictionary.pool AND NOT EXISTS (SELECT FROM jsonb_array_elements(tables) AS e WHERE e ->> 'table_name' = t.table_name);
    INSERT INTO penstock.mapped_table AS t (pool, table_name, mappings, key, time_column, on_conflict, comment)
    SELECT load_dictionary.pool, e.table_name, e.mappings, e.key, e.time_column, e.on_conflict, e.comment
    FROM jsonb_to_recordset(tables) AS e (table_name text, mappings text[], key text[], time_column text, on_conflict text, comment text)
    ON CONFLICT ON CONSTRAINT mapped_table_pkey DO UPDATE
    SET mappings = excluded.mappings, key = excluded.key, time_column = excluded.time_column, on_conflict = excluded.on_conflict,
        comment = excluded.comment
    WHERE (t.mappings, t.key, t.time_column, t.on_conflict, t.comment)
        IS DISTINCT FROM (excluded.mappings, excluded.key, excluded.time_column, excluded.on_conflict, excluded.comment);
END
$$;
COMMENT ON FUNCTION penstock.load_dictionary(text, jsonb, jsonb) IS 'Replaces what the data dictionary says of a pool''s mappings and tables; called by the service as it starts and reloads';

-- What was stored, counted by those who store it: each has its own rows here, so that none waits for another. The rows change with every batch, and
-- nothing that changes is in an index.
CREATE TABLE penstock.table_activity (
    table_name  text        NOT NULL,
    day         date        NOT NULL,
    writer      uuid        NOT NULL,
    rows        bigint      NOT NULL,
    last_time   timestamptz,
    last_commit timestamptz NOT NULL,
    PRIMARY KEY (table_name, day, writer)
) WITH (fillfactor = 50);
COMMENT ON TABLE penstock.table_activity IS 'How many rows came into each mapped table on each day; days older than 90 are removed. Add up the writers';
COMMENT ON COLUMN penstock.table_activity.table_name IS 'The table, as mappings name it';
COMMENT ON COLUMN penstock.table_activity.day IS 'Day of storing, in UTC';
COMMENT ON COLUMN penstock.table_activity.writer IS 'The writer that counts here; zeros stand for all that have ended';
COMMENT ON COLUMN penstock.table_activity.rows IS 'Rows handed to the table; with on_conflict, those whose key was there too';
COMMENT ON COLUMN penstock.table_activity.last_time IS 'The newest time of a row, by the table''s time column; times of clocks that are more than a day ahead do not count';
COMMENT ON COLUMN penstock.table_activity.last_commit IS 'When rows were last stored, by the clock of the database';

-- Counts rows of a transaction; not in SQL alone, which would be planned anew with every batch. Times are in microseconds since 2000, as COPY writes them; NULL where the table has none.
CREATE FUNCTION penstock.count_rows(writer uuid, tables text[], row_counts bigint[], newest bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO penstock.table_activity AS a (table_name, day, writer, rows, last_time, last_commit)
    SELECT c.table_name, (now() AT TIME ZONE 'UTC')::date, count_rows.writer, sum(c.rows),
           timestamptz '2000-01-01 00:00:00+00' + max(c.newest) * interval '1 microsecond', clock_timestamp()
    FROM unnest(count_rows.tables, count_rows.row_counts, count_rows.newest) AS c (table_name, rows, newest)
    GROUP BY c.table_name
    ON CONFLICT ON CONSTRAINT table_activity_pkey DO UPDATE
    SET rows = a.rows + excluded.rows, last_time = greatest(a.last_time, excluded.last_time), last_commit = excluded.last_commit;
END
$$;
COMMENT ON FUNCTION penstock.count_rows(uuid, text[], bigint[], bigint[]) IS 'Counts the rows of a transaction in penstock.table_activity';

-- Keeps penstock.table_activity small. Whoever comes while another one does it goes on without.
CREATE FUNCTION penstock.tidy_activity(keep_days integer DEFAULT 90) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('penstock.tidy_activity', 0)) THEN
        RETURN;
    END IF;
    WITH ended AS (
        DELETE FROM penstock.table_activity AS a
        WHERE a.writer <> '00000000-0000-0000-0000-000000000000' AND NOT EXISTS (SELECT FROM penstock.writer AS w WHERE w.id = a.writer)
            -- A replay is no registered writer, and may still count today.
            AND a.day < (now() AT TIME ZONE 'UTC')::date
        RETURNING a.*
    )
    INSERT INTO penstock.table_activity AS a (table_name, day, writer, rows, last_time, last_commit)
    SELECT e.table_name, e.day, '00000000-0000-0000-0000-000000000000', sum(e.rows), max(e.last_time), max(e.last_commit)
    FROM ended AS e GROUP BY e.table_name, e.day
    ON CONFLICT ON CONSTRAINT table_activity_pkey DO UPDATE
    SET rows = a.rows + excluded.rows, last_time = greatest(a.last_time, excluded.last_time),
        last_commit = greatest(a.last_commit, excluded.last_commit);
    -- The last day of each table stays, however old.
    DELETE FROM penstock.table_activity AS a
    WHERE a.day < (now() AT TIME ZONE 'UTC')::date - keep_days
        AND EXISTS (SELECT FROM penstock.table_activity AS b WHERE b.table_name = a.table_name AND b.day > a.day);
END
$$;
COMMENT ON FUNCTION penstock.tidy_activity(integer) IS 'Adds up what ended writers have counted before today, and removes old days; called by writers now and then';

-- Ends the transaction of a batch as the shorter one does, and counts its rows.
CREATE FUNCTION penstock.advance(writer uuid, number bigint, tables text[], row_counts bigint[], newest bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM penstock.advance(advance.writer, advance.number);
    PERFORM penstock.count_rows(advance.writer, advance.tables, advance.row_counts, advance.newest);
    -- Often enough, whether a process runs for a minute or a year.
    IF number % 4096 = 1 THEN
        PERFORM penstock.tidy_activity();
    END IF;
END
$$;
COMMENT ON FUNCTION penstock.advance(uuid, bigint, text[], bigint[], bigint[])
    IS 'Counts a batch and its rows; fails when the writer is not registered or the batch is not its next';

CREATE VIEW penstock.freshness AS
SELECT table_name, t.mappings, a.last_time, a.last_commit, coalesce(a.rows_today, 0) AS rows_today, l.letters AS letters_today
FROM (
    SELECT m.table_name, array_agg(DISTINCT n ORDER BY n) AS mappings
    FROM penstock.mapped_table AS m CROSS JOIN LATERAL unnest(m.mappings) AS n
    GROUP BY m.table_name
) AS t
FULL JOIN (
    SELECT c.table_name, max(c.last_time) AS last_time, max(c.last_commit) AS last_commit,
           sum(c.rows) FILTER (WHERE c.day = (now() AT TIME ZONE 'UTC')::date)::bigint AS rows_today
    FROM penstock.table_activity AS c
    GROUP BY c.table_name
) AS a USING (table_name)
CROSS JOIN LATERAL (
    SELECT count(*) AS letters
    FROM unnest(t.mappings) AS n
    -- Bounded, so that a day of nothing but dead letters is no slow query.
    CROSS JOIN LATERAL (
        SELECT FROM penstock.dead_letter AS d
        WHERE d.mapping = n AND d.received >= (now() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC'
        LIMIT 10000
    ) AS counted
) AS l;
COMMENT ON VIEW penstock.freshness IS 'One row for each mapped table: when it last got rows, and how many today (in UTC). Never reads the tables themselves';
COMMENT ON COLUMN penstock.freshness.table_name IS 'The table, as mappings name it';
COMMENT ON COLUMN penstock.freshness.mappings IS 'The mappings that write it; NULL when none does any more';
COMMENT ON COLUMN penstock.freshness.last_time IS 'The newest time of a row, by the table''s time column; times of clocks that are more than a day ahead do not count';
COMMENT ON COLUMN penstock.freshness.last_commit IS 'When rows were last stored; NULL when none ever were';
COMMENT ON COLUMN penstock.freshness.rows_today IS 'Rows stored today, in UTC; with on_conflict, those whose key was there too';
COMMENT ON COLUMN penstock.freshness.letters_today IS 'Dead letters received today of the mappings that write it; 10000 of a mapping stand for that or more';

-- The SQL of penstock.latest, to be read and explained. It steps from key to key through the index, so that its time grows with the keys and not with the rows.
CREATE FUNCTION penstock.latest_query(target regclass, VARIADIC key text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known   penstock.mapped_table;
    name    text;
    at      text;
    list    text;
    wanted  text[] := latest_query.key;
BEGIN
    SELECT format('%I.%I', n.nspname, c.relname) INTO name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = target;
    SELECT t.* INTO known
    FROM penstock.mapped_table AS t
    WHERE to_regclass(CASE WHEN strpos(t.table_name, '.') = 0 THEN quote_ident(t.table_name)
        ELSE quote_ident(split_part(t.table_name, '.', 1)) || '.' || quote_ident(substr(t.table_name, strpos(t.table_name, '.') + 1)) END) = target
    ORDER BY t.time_column IS NULL, t.pool LIMIT 1;
    at := coalesce(known.time_column, (
        SELECT min(a.attname) FROM pg_attribute AS a
        WHERE a.attrelid = target AND a.atttypid = 'timestamptz'::regtype AND a.attnum > 0 AND NOT a.attisdropped HAVING count(*) = 1));
    IF at IS NULL THEN
        RAISE EXCEPTION 'nothing tells which row of % is the latest', target USING ERRCODE = 'invalid_parameter_value',
            HINT = 'no mapping of the data dictionary names its time column, and it has not exactly one column of type timestamptz';
    END IF;
    IF cardinality(wanted) = 0 THEN
        wanted := array_remove(known.key, at);
    END IF;
    IF wanted IS NULL OR cardinality(wanted) = 0 THEN
        RAISE EXCEPTION 'the data dictionary names no key of %', target USING ERRCODE = 'invalid_parameter_value',
            HINT = format('name the columns of whose values you want the latest row: penstock.latest(%L, ''device'')', target);
    END IF;
    SELECT string_agg(format('r.%I', k), ', ' ORDER BY i) INTO list FROM unnest(wanted) WITH ORDINALITY AS w (k, i);
    RETURN format(
        E'WITH RECURSIVE k AS (\n'
        '    (SELECT %1$s FROM %2$s AS r WHERE %3$s ORDER BY %1$s LIMIT 1)\n'
        '    UNION ALL\n'
        '    SELECT n.* FROM k CROSS JOIN LATERAL (\n'
        '        SELECT %1$s FROM %2$s AS r WHERE (%1$s) > (%4$s) AND %3$s ORDER BY %1$s LIMIT 1\n'
        '    ) AS n\n'
        ')\n'
        'SELECT l.* FROM k CROSS JOIN LATERAL (\n'
        '    SELECT * FROM %2$s AS r WHERE (%1$s) = (%4$s) AND r.%5$I IS NOT NULL ORDER BY r.%5$I DESC LIMIT 1\n'
        ') AS l',
        list, name,
        (SELECT string_agg(format('r.%I IS NOT NULL', k), ' AND ' ORDER BY i) FROM unnest(wanted) WITH ORDINALITY AS w (k, i)),
        (SELECT string_agg(format('k.%I', k), ', ' ORDER BY i) FROM unnest(wanted) WITH ORDINALITY AS w (k, i)), at);
END
$$;
COMMENT ON FUNCTION penstock.latest_query(regclass, text[]) IS 'The SQL that penstock.latest runs for a table';

-- Takes text and not regclass, so that a plain literal means this one and not the next.
CREATE FUNCTION penstock.latest(target text, VARIADIC key text[] DEFAULT '{}') RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT to_jsonb(t) FROM (%s) AS t', penstock.latest_query(target::regclass, VARIADIC latest.key));
END
$$;
COMMENT ON FUNCTION penstock.latest(text, text[])
    IS 'The last row for each value of the key, as jsonb: penstock.latest(''climate''), or of other columns: penstock.latest(''climate'', ''site'')';

CREATE FUNCTION penstock.latest(of_type anyelement, VARIADIC key text[] DEFAULT '{}') RETURNS SETOF anyelement
LANGUAGE plpgsql STABLE AS $$
DECLARE
    target regclass := (SELECT t.typrelid::regclass FROM pg_type AS t WHERE t.oid = pg_typeof(of_type) AND t.typrelid <> 0);
BEGIN
    IF target IS NULL THEN
        RAISE EXCEPTION '% is not the type of a table', pg_typeof(of_type) USING ERRCODE = 'invalid_parameter_value',
            HINT = 'penstock.latest(NULL::climate) gives rows as they are, penstock.latest(''climate'') gives them as jsonb';
    END IF;
    RETURN QUERY EXECUTE penstock.latest_query(target, VARIADIC latest.key);
END
$$;
COMMENT ON FUNCTION penstock.latest(anyelement, text[])
    IS 'The last row for each value of the key, with the columns of the table: SELECT * FROM penstock.latest(NULL::climate)';

CREATE TABLE penstock.analyst_grant (
    relation oid         PRIMARY KEY,
    name     text        NOT NULL,
    granted  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE penstock.analyst_grant IS 'What the role penstock_analyst was once allowed to read: a REVOKE after that stays';
COMMENT ON COLUMN penstock.analyst_grant.relation IS 'The table or view, or this schema';
COMMENT ON COLUMN penstock.analyst_grant.name IS 'Its name';
COMMENT ON COLUMN penstock.analyst_grant.granted IS 'When';

-- This schema and each table are granted once. Where the role is not there, or the table is another one's, nothing happens.
CREATE FUNCTION penstock.grant_to_analysts(tables text[]) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    item record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'penstock_analyst') THEN
        RETURN;
    END IF;
    SELECT n.oid, n.nspname INTO item FROM pg_namespace AS n
    WHERE n.nspname = 'penstock' AND pg_has_role(n.nspowner, 'USAGE') AND NOT EXISTS (SELECT FROM penstock.analyst_grant AS g WHERE g.relation = n.oid);
    IF FOUND THEN
        GRANT USAGE ON SCHEMA penstock TO penstock_analyst;
        GRANT SELECT ON ALL TABLES IN SCHEMA penstock TO penstock_analyst;
        ALTER DEFAULT PRIVILEGES IN SCHEMA penstock GRANT SELECT ON TABLES TO penstock_analyst;
        INSERT INTO penstock.analyst_grant (relation, name) VALUES (item.oid, item.nspname) ON CONFLICT DO NOTHING;
    END IF;
    FOR item IN
        SELECT DISTINCT c.oid, n.nspname, c.relname, pg_has_role(n.nspowner, 'USAGE') AS owns_schema
        FROM unnest(tables) AS t (name)
        CROSS JOIN LATERAL (VALUES (t.name), (t.name || '_latest')) AS v (name)
        JOIN pg_class AS c ON c.oid = to_regclass(CASE WHEN strpos(v.name, '.') = 0 THEN quote_ident(v.name)
            ELSE quote_ident(split_part(v.name, '.', 1)) || '.' || quote_ident(substr(v.name, strpos(v.name, '.') + 1)) END)
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE pg_has_role(c.relowner, 'USAGE') AND NOT EXISTS (SELECT FROM penstock.analyst_grant AS g WHERE g.relation = c.oid)
    LOOP
        IF item.owns_schema THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO penstock_analyst', item.nspname);
        END IF;
        EXECUTE format('GRANT SELECT ON %I.%I TO penstock_analyst', item.nspname, item.relname);
        INSERT INTO penstock.analyst_grant (relation, name) VALUES (item.oid, format('%I.%I', item.nspname, item.relname)) ON CONFLICT DO NOTHING;
        RETURN NEXT format('%I.%I', item.nspname, item.relname);
    END LOOP;
END
$$;
COMMENT ON FUNCTION penstock.grant_to_analysts(text[]) IS 'Lets the role penstock_analyst read mapped tables, each once; returns those that it may read now';

-- What the first step did, for those who could not make the role then and for what has come since. A user who may not create roles goes without.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'penstock_analyst') THEN
        CREATE ROLE penstock_analyst NOLOGIN;
    END IF;
    PERFORM penstock.grant_to_analysts('{}');
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'role penstock_analyst was not set up: %', SQLERRM;
END
$$;

COMMENT ON COLUMN penstock.sparkplug_birth.group_id IS 'Group of the edge node';
COMMENT ON COLUMN penstock.sparkplug_birth.node IS 'The edge node';
COMMENT ON COLUMN penstock.sparkplug_birth.updated IS 'When the row last changed';
