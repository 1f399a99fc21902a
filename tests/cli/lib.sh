# Used by the cases: . "$CLI/lib.sh"
# shellcheck shell=sh disable=SC2034

# A stream of five rows: two tenants, two weeks.
schema() {
	cat <<'SQL'
CREATE TABLE events (
    id UInt64 NOT NULL,
    tenant String NOT NULL,
    at DateTime64(3) NOT NULL,
    level Enum('info' = 1, 'warn' = 2, 'error' = 3) NOT NULL DEFAULT 'info',
    message Nullable(String),
    n Nullable(Int32),
    CONSTRAINT errors_have_a_message CHECK level != 'error' OR message IS NOT NULL
) ENGINE = MergeTree PARTITION BY (tenant, toMonday(at)) ORDER BY (at, id);
SQL
}

rows() {
	cat <<'JSON'
{"id":1,"tenant":"acme","at":"2025-01-06T10:00:00.000Z","level":"info","message":"started","n":1}
{"id":2,"tenant":"acme","at":"2025-01-07T10:00:00.250Z","level":"warn","message":"slow"}
{"id":3,"tenant":"zeta","at":"2025-01-08T00:00:00.000Z","level":"info","n":-5}
{"id":4,"tenant":"acme","at":"2025-01-13T00:00:00.000Z","level":"error","message":"a, \"quoted\" one\nin two lines","n":7}
{"id":5,"tenant":"zeta","at":"2025-01-14T23:59:59.999Z","level":"info","message":"done","n":0}
JSON
}

# store/events with its schema, and with the rows too.
make_stream() {
	schema >schema.sql
	evschema -q apply store schema.sql
}
make_store() {
	make_stream && rows | evappend -q store/events
}

# Run a command and print its exit status; its stderr goes to the file `err` for a case that looks at
# parts of it only.
status() {
	"$@" 2>err
	echo "exit $?"
}

# The account without what depends on how rows are encoded and flushed.
account() {
	sed -n 's/; .*//; / in = /p' "${1:-err}"
}

# The same multiset of JSON values, one a line, in two files?
same_rows() {
	jq -cS . "$1" | sort >same.1
	jq -cS . "$2" | sort >same.2
	if cmp -s same.1 same.2; then
		echo "same rows"
	else
		echo "rows differ:"
		diff same.1 same.2 | head -n 10
	fi
}

# The line with which evcompact ends, without what depends on how rows are encoded and on the machine.
compacted() {
	sed 's/, [0-9.]* [KMG]*B -> .*//; s/\( rows\), [0-9.]* [KMG]*B$/\1/'
}

skip() {
	echo "$*"
	exit 77
}

# The ledger of evexpire without what differs from run to run.
ledger() {
	sed 's/"time":"[^"]*"/"time":"T"/; s/"written":"[^"]*"/"written":"W"/; s/"bytes":[0-9]*/"bytes":B/
		s/"hash":"[0-9a-f]\{64\}"/"hash":"H"/' "${1:-store/events}/expired.ndjson"
}

# Hold the lock of a file, as a writer does, until the file `let-go` is there.
hold() {
	python3 -c '
import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
open("held", "w").close()
while not os.path.exists("let-go"):
    time.sleep(0.01)
' "$1" &
	while [ ! -e held ]; do sleep 0.01; done
	rm held
}
