#!/bin/sh
# Makes the passwords and tokens of compose.yaml, once, each in a file that its reader alone may read. Passwords that are there stay as they are.
set -eu
cd /secrets

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# put FILE UID CONTENT
put() {
    [ -s "$1" ] && return
    (umask 077; printf '%s\n' "$3" >"$1.new")
    chown "$2:$2" "$1.new"
    chmod 0400 "$1.new"
    mv "$1.new" "$1"
}

# Users of the images: PostgreSQL 999, mosquitto 1883, Prometheus 65534, Grafana 472, Penstock 10001.
put postgres-password 999 "$(random)"
put database-password 999 "$(random)"
put database-url 10001 "postgresql://penstock:$(cat database-password)@postgres/telemetry"
put broker-password 10001 "$(random)"
put device-password 10001 "$(random)"
put http-token 10001 "$(random)"
put metrics-token 65534 "$(cat http-token)"
put grafana-password 472 "$(random)"
if [ ! -s mosquitto-passwords ]; then
    umask 077
    : >mosquitto-passwords.new
    mosquitto_passwd -b mosquitto-passwords.new penstock "$(cat broker-password)"
    mosquitto_passwd -b mosquitto-passwords.new device "$(cat device-password)"
    chown 1883:1883 mosquitto-passwords.new
    chmod 0400 mosquitto-passwords.new
    mv mosquitto-passwords.new mosquitto-passwords
fi
# No secret, but mosquitto will one day refuse rules that others may read or that belong to another user. Those of the repository, at every start.
(umask 077; cp /mosquitto.acl mosquitto.acl.new)
chown 1883:1883 mosquitto.acl.new
mv mosquitto.acl.new mosquitto.acl
# Others may pass, so that each reader comes to its own file; nobody but root may list or change.
chmod 0711 /secrets
