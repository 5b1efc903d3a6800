-- A batch at QoS 2 writes the packet identifiers of its sessions, and their subscriptions only where those have changed.

CREATE OR REPLACE FUNCTION penstock.record_sessions(
    writer uuid, client_ids text[], stored int4multirange[], connecting boolean[], released boolean[], subscriptions jsonb[], subscribed timestamptz[],
    brokers text[]
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE penstock.session AS s
    SET stored_ids = r.stored, connecting = r.connecting, subscriptions = coalesce(r.subscriptions, s.subscriptions), subscribed = r.subscribed,
        broker = r.broker, updated = now(),
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
    IS 'Writes stored packet identifiers, states and, where not NULL, subscriptions of sessions; fails when the writer does not hold them';
COMMENT ON COLUMN penstock.session.subscribed IS 'Since this time, by the clock of the ingester, no shared subscription can have gone unnoticed with a restart of the broker';
