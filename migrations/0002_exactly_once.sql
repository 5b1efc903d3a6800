-- Stored packet identifiers as ranges (a broker hands them out one after the other), leases of sessions, and the checks that end a transaction.

ALTER TABLE penstock.session ALTER COLUMN stored_ids DROP DEFAULT;
ALTER TABLE penstock.session ALTER COLUMN stored_ids TYPE int4multirange USING '{}';
ALTER TABLE penstock.session ALTER COLUMN stored_ids SET DEFAULT '{}';
ALTER TABLE penstock.session ADD COLUMN connecting boolean NOT NULL DEFAULT false;
ALTER TABLE penstock.session SET (fillfactor = 50);
COMMENT ON COLUMN penstock.session.stored_ids IS 'Packet identifiers of QoS 2 messages that are stored and that the broker has not released yet';
COMMENT ON COLUMN penstock.session.connecting IS 'A CONNECT may have gone out whose answer is not known: the broker may have made a new session since stored_ids was written';

-- Rows of ingesters that knew no leases.
DELETE FROM penstock.writer;
ALTER TABLE penstock.writer ADD COLUMN pool text NOT NULL;
ALTER TABLE penstock.writer ADD COLUMN birth text NOT NULL;
ALTER TABLE penstock.writer SET (fillfactor = 50);
COMMENT ON COLUMN penstock.writer.pool IS 'pool.client_id of its configuration: writers of one pool share its sessions';
COMMENT ON COLUMN penstock.writer.birth IS 'Tells its process from every other one, on any machine and in any container';

-- Writes what is to be known of sessions, in the transaction of the rows that belong to it. Only their holder may.
CREATE FUNCTION penstock.record_sessions(
    writer uuid, client_ids text[], stored int4multirange[], connecting boolean[], released boolean[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE penstock.session AS s
    SET stored_ids = r.stored, connecting = r.connecting, updated = now(), writer = CASE WHEN r.released THEN NULL ELSE s.writer END
    FROM unnest(
        record_sessions.client_ids, record_sessions.stored, record_sessions.connecting, record_sessions.released
    ) AS r (client_id, stored, connecting, released)
    WHERE s.client_id = r.client_id AND s.writer = record_sessions.writer;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> cardinality(client_ids) THEN
        RAISE EXCEPTION 'writer % does not hold all of the sessions %', record_sessions.writer, client_ids
            USING ERRCODE = 'PS001', HINT = 'another process has taken them over';
    END IF;
END
$$;
COMMENT ON FUNCTION penstock.record_sessions(uuid, text[], int4multirange[], boolean[], boolean[])
    IS 'Writes stored packet identifiers and states of sessions; fails when the writer does not hold them';

-- Binary COPY carries no types: bytes written for one type could be read as another one after an ALTER TABLE. Called behind the COPY, whose lock keeps
-- the table as it is.
CREATE FUNCTION penstock.confirm_columns(target text, columns text[], types oid[]) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF (
        SELECT count(*) FROM pg_catalog.pg_attribute AS a JOIN unnest(columns, types) AS c (name, type) ON a.attname = c.name AND a.atttypid = c.type
        WHERE a.attrelid = pg_catalog.to_regclass(target) AND a.attnum > 0 AND NOT a.attisdropped
    ) <> cardinality(columns) THEN
        RAISE EXCEPTION 'the columns of % are not what they were', target USING ERRCODE = 'PS002';
    END IF;
END
$$;
COMMENT ON FUNCTION penstock.confirm_columns(text, text[], oid[]) IS 'Fails when a table''s columns have not the types that were just written to them';

-- Ends a transaction that has stored what dead letters became: fails when one of them is gone already, so that none is stored twice.
CREATE FUNCTION penstock.remove_letters(letters bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM penstock.dead_letter AS l WHERE l.id = ANY (letters);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed <> cardinality(letters) THEN
        RAISE EXCEPTION 'some of these dead letters were replayed by somebody else' USING ERRCODE = 'PS001';
    END IF;
END
$$;
COMMENT ON FUNCTION penstock.remove_letters(bigint[]) IS 'Deletes dead letters whose rows were stored in the same transaction; fails when one is gone';
