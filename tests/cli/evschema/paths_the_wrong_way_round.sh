. "$CLI/lib.sh"

# STORE comes first.
schema >schema.sql
mkdir store
status evschema apply schema.sql store; cat err
