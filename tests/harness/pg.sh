#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A throwaway PostgreSQL cluster for tests and benches.
#
#   pg.sh start [OWNER_PID]   prints "DIRECTORY PORT"; when the process OWNER_PID is gone, so is the cluster
#   pg.sh stop DIRECTORY
#   pg.sh restart DIRECTORY   an immediate stop (as a crash) and a start
#
# PG_BIN: where initdb is. PG_DURABLE=1: fsync on (benches). PG_CONF: more lines for postgresql.conf.
set -e

bin=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)}
[ -x "$bin/initdb" ] || { echo "pg.sh: no initdb found; set PG_BIN" >&2; exit 77; }

# PostgreSQL refuses to run as root.
as_server()
{
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
    else
        "$@"
    fi
}

launch()
{
    (cd / && as_server "$bin/pg_ctl" -D "$1/data" -l "$1/log" -w -t 60 start >/dev/null 2>&1 </dev/null)
}

halt()
{
    (cd / && as_server "$bin/pg_ctl" -D "$1/data" -m immediate -w stop >/dev/null 2>&1) || true
}

case "$1" in
start)
    dir=$(mktemp -d "${TMPDIR:-/tmp}/sluice-pg-XXXXXX")
    [ "$(id -u)" = 0 ] && chown postgres "$dir"
    chmod 700 "$dir"
    (cd / && as_server "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null)
    fsync=off
    [ "$PG_DURABLE" = 1 ] && fsync=on
    as_server sh -c 'cat >>"$1/data/postgresql.conf"' sh "$dir" <<EOF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
fsync = $fsync
max_connections = 50
shared_buffers = 128MB
max_wal_size = 4GB
$PG_CONF
EOF
    for attempt in 1 2 3 4 5; do
        port=$(awk -v seed="$$$attempt" 'BEGIN { srand(seed); print 20000 + int(rand() * 30000) }')
        as_server sh -c 'echo "port = $2" >>"$1/data/postgresql.conf"' sh "$dir" "$port"
        if launch "$dir"; then
            if [ -n "$2" ]; then
                (
                    trap '' HUP INT
                    while kill -0 "$2" 2>/dev/null && [ -d "$dir" ]; do sleep 1; done
                    [ -d "$dir" ] && "$0" stop "$dir"
                ) >/dev/null 2>&1 </dev/null &
            fi
            echo "$dir $port"
            exit 0
        fi
    done
    cat "$dir/log" >&2
    rm -rf "$dir"
    exit 1
    ;;
stop)
    halt "$2"
    rm -rf "$2"
    ;;
restart)
    halt "$2"
    launch "$2"
    ;;
*)
    echo "usage: pg.sh start [OWNER_PID] | stop DIRECTORY | restart DIRECTORY" >&2
    exit 2
    ;;
esac
