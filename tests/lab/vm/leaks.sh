# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the modules must have given back when they are unloaded, beside what their
# unloading itself proves: threads, network devices, debugfs, references to them. The
# rest of the memory is kmemleak's, on a kernel that has it.

# Pages that are pinned, of the whole machine.
_leaks_pinned() {
	echo 1 >/proc/sys/vm/stat_refresh
	awk '$1 == "nr_foll_pin_acquired" { pinned += $2 }
	     $1 == "nr_foll_pin_released" { pinned -= $2 }
	     END { print pinned + 0 }' /proc/vmstat
}

# Areas of vmalloc whose caller has no name any more.
_leaks_areas() {
	awk '$3 ~ /^0x/' /proc/vmallocinfo
}

leaks_begin() {
	LEAKS_PINNED=$(_leaks_pinned)
}

# When all processes of the scenario are gone, and the modules too: the last pages go
# when a killed process is reaped.
leaks_report() {
	local i pinned areas

	for ((i = 0; i < 50; i++)); do
		pinned=$(($(_leaks_pinned) - LEAKS_PINNED))
		[ $pinned -gt 0 ] || break
		sleep 0.1
	done
	[ $pinned -le 0 ] || test_fail "no page is left pinned ($pinned are)"
	areas=$(_leaks_areas)
	if [ -n "$areas" ]; then
		test_fail "no memory of an unloaded module is left"
		diag "$areas"
	fi
}
