# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KVM's counters of one guest.  Counts, unlike times, do not depend on how
# slow the lab is.

# Exits a second from which on a guest does more than its clocks and the wake-ups of
# the host make it, which are some hundreds.
EXITS_BUSY=2000

_EXITS="exits io_exits mmio_exits halt_exits irq_injections"

# exits_snapshot NAME: one line, "exits=N io_exits=N mmio_exits=N ...".
exits_snapshot() {
	local pid dir counter value line=

	pid=$(guest_pid "$1") || return
	for dir in /sys/kernel/debug/kvm/"$pid"-*/; do
		[ -d "$dir" ] || continue
		for counter in $_EXITS; do
			value=0
			[ -e "$dir$counter" ] && read -r value <"$dir$counter"
			line+="${line:+ }$counter=$value"
		done
		echo "$line"
		return 0
	done
	echo "exits_snapshot: KVM has no counters of guest $1" >&2
	return 1
}

# exits_delta BEFORE AFTER: the difference of two snapshots, in their form.
exits_delta() {
	local counter before after line=

	for counter in $_EXITS; do
		before=${1#*"$counter="}
		after=${2#*"$counter="}
		# "exits=" is the tail of other names, but comes first.
		line+="${line:+ }$counter=$((${after%% *} - ${before%% *}))"
	done
	echo "$line"
}

# exits_rate SECONDS DELTA: exits a second, of a difference over so many.
exits_rate() {
	local exits=${2%% *}

	echo $((${exits#*=} / $1))
}
