. "$CLI/lib.sh"

# A line for each durable commit; what it says is in the segment by then.
make_stream
rows >x
evappend -q --ack store/events x | jq -c '[.segment, .seq, .rows]' | sort
rows | head -n 1 | evappend -q --ack --flush-rows 1 store/events |
	jq -c '[.segment, .seq, .rows, .source_offset]'
