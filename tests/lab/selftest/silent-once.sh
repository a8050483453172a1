# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: pass
# SHOWS: silent-once: a fault of the emulator (guest g fell silent without a word): it runs again
# SHOWS: ok 2 - and answers
# HIDES: not ok

host() {
	local GUEST_TIMEOUT=3

	check "a guest boots" guest_start g || return
	if [ ! -e /lab/silent-once ]; then
		: >/lab/silent-once
		guest_monitor g stop
	fi
	check "and answers" guest g true
}
