# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: pass
# SHOWS: shutdown-once: a fault of the emulator (a guest shut down without a word): it runs again
# SHOWS: ok 2 - and lives
# HIDES: not ok

live() {
	[ "${1:-}" ] && return
	insmod "$LAB_FAULT/$(uname -r)/lab_fault.ko" what=shutdown
}

host() {
	local again=

	check "a guest boots" guest_start g || return
	[ ! -e /lab/shutdown-once ] || again=1
	: >/lab/shutdown-once
	check "and lives" guest g live $again
	# another QEMU by the time that this is judged
	check "it stops" guest_stop g
	check "and boots again" guest_start g
}
