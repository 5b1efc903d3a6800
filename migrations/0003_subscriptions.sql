-- The subscriptions that a broker session has, so that a start asks only for what differs.

COMMENT ON COLUMN penstock.session.subscriptions IS 'Filters that the broker has, or may have, for this session: filter to {"qos", "state": asked, granted, refused or leaving, "granted", "identifier", "retain", "reason"}';
ALTER TABLE penstock.session ADD COLUMN subscribed timestamptz;
ALTER TABLE penstock.session ADD COLUMN broker text;
COMMENT ON COLUMN penstock.session.broker IS 'The address at which the session was connected last: what is recorded is of that broker';
COMMENT ON COLUMN penstock.session.subscribed IS 'When the broker last answered for every subscription, by the clock of the ingester';

DROP FUNCTION penstock.record_sessions(uuid, text[], int4multirange[], boolean[], boolean[]);

-- Writes what is to be known of sessions, in the transaction of the rows that belong to it. Only their holder may.
CREATE FUNCTION penstock.record_sessions(
    writer uuid, client_ids text[], stored int4multirange[], connecting boolean[], released boolean[], subscriptions jsonb[], subscribed timestamptz[],
    brokers text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE penstock.session AS s
    SET stored_ids = r.stored, connecting = r.connecting, subscriptions = r.subscriptions, subscribed = r.subscribed, broker = r.broker,
        updated = now(),
        writer = CASE WHEN r.released THEN NULL ELSE s.writer END
    FROM unnest(
        record_sessions.client_ids, record_sessions.stored, record_sessions.connecting, record_sessions.released,
        record_sessions.subscriptions, record_sessions.subscribed, record_sessions.brokers
    ) AS r (client_id, stored, connecting, released, subscriptions, subscribed, broker)
    WHERE s.client_id = r.client_id AND s.writer = record_sessions.writer;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> cardinality(client_ids) THEN
        RAISE EXCEPTION 'writer % does not hold all of the sessions %', record_sessions.writer, client_ids
            USING ERRCODE = 'PS001', HINT = 'another process has taken them over';
    END IF;
END
$$;
COMMENT ON FUNCTION penstock.record_sessions(uuid, text[], int4multirange[], boolean[], boolean[], jsonb[], timestamptz[], text[])
    IS 'Writes stored packet identifiers, subscriptions and states of sessions; fails when the writer does not hold them';
