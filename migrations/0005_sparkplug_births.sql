-- Birth certificates of Sparkplug B, for replaying: dead letters may carry aliases that only a birth explains.

CREATE TABLE penstock.sparkplug_birth (
    group_id text NOT NULL,
    node text NOT NULL,
    device text NOT NULL,
    born timestamptz,
    bd_seq numeric(20),
    received timestamptz NOT NULL,
    since timestamptz NOT NULL,
    definition bytea NOT NULL,
    payload bytea NOT NULL,
    updated timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, node, device)
);
COMMENT ON TABLE penstock.sparkplug_birth IS 'The last birth certificate of each Sparkplug edge node and device: what aliases in dead letters stand for when they are replayed';
COMMENT ON COLUMN penstock.sparkplug_birth.device IS 'Empty for the edge node itself';
COMMENT ON COLUMN penstock.sparkplug_birth.born IS 'The time in the payload, by the clock of the edge node';
COMMENT ON COLUMN penstock.sparkplug_birth.bd_seq IS 'Number of the session of the edge node, which its death certificate repeats';
COMMENT ON COLUMN penstock.sparkplug_birth.received IS 'When it came, by the clock of the ingester';
COMMENT ON COLUMN penstock.sparkplug_birth.since IS 'From when on the aliases are known to mean this: messages received before it are not read with it';
COMMENT ON COLUMN penstock.sparkplug_birth.definition IS 'Digest of names, aliases and datatypes: the same for certificates that define the same';
COMMENT ON COLUMN penstock.sparkplug_birth.payload IS 'As it came';
