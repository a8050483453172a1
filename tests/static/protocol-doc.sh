#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tables of Documentation/protocol.rst agree with the headers: offset and
# size of each field, as assertions for the compiler.
set -u
. "$(dirname "$0")/../lib/static.sh"

DOC=Documentation/protocol.rst

assertions()
{
	echo '#include <stddef.h>'
	echo '#include <linux/pvbus.h>'
	echo '#include <linux/pvbus_blk.h>'
	echo '#include <linux/pvbus_net.h>'
	echo '#include <pvbus/ring.h>'
	awk '
	# the structure that was named last is the one of the next table
	{
		line = $0
		while (match(line, /``struct [a-z_]+``/)) {
			type = substr(line, RSTART + 9, RLENGTH - 11)
			line = substr(line, RSTART + RLENGTH)
		}
	}
	# only the ring tells who writes
	/^offset +bytes +field +writer/ { type = "pvring_hdr" }
	/^[0-9]+ +[0-9]+ +``[a-z_0-9]+`` / {
		field = $3
		gsub(/`/, "", field)
		printf "#line %d\n", NR
		printf "_Static_assert(offsetof(struct %s, %s) == %d, \"offset\");\n", type, field, $1
		printf "#line %d\n", NR
		printf "_Static_assert(sizeof(((struct %s *)0)->%s) == %d, \"size\");\n", type, field, $2
	}' "$DOC"
}

text=$(assertions)
fields=$(grep -c '"offset"' <<<"$text")
if [ "$fields" -lt 50 ]; then
	ktap_fail protocol-doc "only $fields fields found in the tables of $DOC"
else
	echo "# $fields fields"
	out=$(gcc -std=gnu11 -Iinclude -Iinclude/uapi -fsyntax-only -x c - \
		<<<"$text" 2>&1 | sed "s|^<stdin>|$DOC|")
	ktap_silent protocol-doc echo -n "$out"
fi
ktap_exit
