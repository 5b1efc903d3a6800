-- The service's own schema. Tables of mappings live elsewhere; nothing here is needed to read them.

CREATE SCHEMA IF NOT EXISTS penstock;
COMMENT ON SCHEMA penstock IS 'Penstock: who writes, what failed, and where every column of the mapped tables comes from';

CREATE TABLE penstock.writer (
    id      uuid        PRIMARY KEY,
    process integer     NOT NULL,
    host    text        NOT NULL,
    batch   bigint      NOT NULL DEFAULT 0 CHECK (batch >= 0),
    started timestamptz NOT NULL DEFAULT now(),
    seen    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE penstock.writer IS 'One row for each writer thread of a running ingester';
COMMENT ON COLUMN penstock.writer.id IS 'Made anew at each registration';
COMMENT ON COLUMN penstock.writer.process IS 'Process id of the ingester';
COMMENT ON COLUMN penstock.writer.host IS 'Host name of the ingester';
COMMENT ON COLUMN penstock.writer.batch IS 'Number of the last batch that this writer has committed';
COMMENT ON COLUMN penstock.writer.started IS 'When it registered';
COMMENT ON COLUMN penstock.writer.seen IS 'When it last committed or renewed its registration, by the clock of the database';

CREATE TABLE penstock.session (
    client_id     text        PRIMARY KEY,
    writer        uuid        REFERENCES penstock.writer (id) ON DELETE SET NULL,
    subscriptions jsonb       NOT NULL DEFAULT '{}',
    stored_ids    integer[]   NOT NULL DEFAULT '{}',
    updated       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE penstock.session IS 'The broker sessions of the pool';
COMMENT ON COLUMN penstock.session.client_id IS 'MQTT client identifier';
COMMENT ON COLUMN penstock.session.writer IS 'The writer that holds the session; NULL when nobody does';
COMMENT ON COLUMN penstock.session.subscriptions IS 'Filter to QoS, as the broker has them for this session';
COMMENT ON COLUMN penstock.session.stored_ids IS 'Packet identifiers of QoS 2 messages that are stored and not yet released';
COMMENT ON COLUMN penstock.session.updated IS 'When the row last changed';

CREATE TABLE penstock.dead_letter (
    id                bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received          timestamptz NOT NULL,
    topic             text        NOT NULL,
    payload           bytea       NOT NULL,
    qos               smallint    NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain            boolean     NOT NULL,
    properties        jsonb,
    mapping           text,
    stage             text        NOT NULL CHECK (stage IN ('route', 'decode', 'row', 'table')),
    column_name       text,
    sqlstate          text,
    error             text        NOT NULL,
    client_id         text        NOT NULL,
    stored            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_mapping_received_idx ON penstock.dead_letter (mapping, received);
COMMENT ON TABLE penstock.dead_letter IS 'Messages that could not become rows, whole, with the reason; as durable as data';
COMMENT ON COLUMN penstock.dead_letter.id IS 'Order of storing';
COMMENT ON COLUMN penstock.dead_letter.received IS 'When the message came, by the clock of the ingester';
COMMENT ON COLUMN penstock.dead_letter.topic IS 'Topic name of the message';
COMMENT ON COLUMN penstock.dead_letter.payload IS 'The payload as it came';
COMMENT ON COLUMN penstock.dead_letter.qos IS 'QoS of the delivery: 0, 1 or 2';
COMMENT ON COLUMN penstock.dead_letter.retain IS 'Whether the broker sent it as a retained message';
COMMENT ON COLUMN penstock.dead_letter.properties IS 'MQTT 5 properties';
COMMENT ON COLUMN penstock.dead_letter.mapping IS 'The mapping that took the message; NULL when none did';
COMMENT ON COLUMN penstock.dead_letter.stage IS 'Where it failed: route, decode, row or table';
COMMENT ON COLUMN penstock.dead_letter.column_name IS 'The column whose value could not be had, where there is one';
COMMENT ON COLUMN penstock.dead_letter.sqlstate IS 'PostgreSQL''s error code, where it was PostgreSQL that refused';
COMMENT ON COLUMN penstock.dead_letter.error IS 'The reason in words';
COMMENT ON COLUMN penstock.dead_letter.client_id IS 'The session on which it came';
COMMENT ON COLUMN penstock.dead_letter.stored IS 'When the letter was committed';

CREATE TABLE penstock.mapping (
    name     text        PRIMARY KEY,
    patterns text[]      NOT NULL,
    tables   text[]      NOT NULL,
    columns  jsonb       NOT NULL,
    updated  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE penstock.mapping IS 'Data dictionary: which topics become which tables, and where each column comes from';
COMMENT ON COLUMN penstock.mapping.name IS 'Name of the mapping: its file name without .yaml';
COMMENT ON COLUMN penstock.mapping.patterns IS 'Topic patterns';
COMMENT ON COLUMN penstock.mapping.tables IS 'Tables it writes';
COMMENT ON COLUMN penstock.mapping.columns IS 'Array of {table, column, type, source}';
COMMENT ON COLUMN penstock.mapping.updated IS 'When the mapping was last registered';

-- Ends every transaction of a writer. The comparison with batch - 1 matters: bytes of a broken connection can still reach their backend after the
-- batch was sent again on a new one, and must then not commit a second time.
CREATE FUNCTION penstock.advance(writer uuid, number bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE penstock.writer SET batch = number, seen = now() WHERE id = advance.writer AND batch = number - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'writer % does not stand at batch %', advance.writer, number - 1
            USING ERRCODE = 'PS001', HINT = 'another process has declared this writer dead, or this batch is already in';
    END IF;
END
$$;
COMMENT ON FUNCTION penstock.advance(uuid, bigint) IS 'Counts a batch in its writer''s row; fails when the writer is not registered or the batch is not its next';

-- A role for those who only read. A user who may not create roles goes without.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'penstock_analyst') THEN
        CREATE ROLE penstock_analyst NOLOGIN;
    END IF;
    GRANT USAGE ON SCHEMA penstock TO penstock_analyst;
    GRANT SELECT ON ALL TABLES IN SCHEMA penstock TO penstock_analyst;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'role penstock_analyst was not set up: %', SQLERRM;
END
$$;
