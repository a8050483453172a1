# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: pass
# SHOWS: spoilt-once: a fault of the emulator (guest g stands still): it runs again
# SHOWS: ok 1 - the second time
# HIDES: what the emulator spoils

host() {
	if [ -e /lab/spoilt-once ]; then
		rm /lab/spoilt-once
		test_ok "the second time"
		return
	fi
	: >/lab/spoilt-once
	check "what the emulator spoils" false
	printf '\n@lab spoilt guest g stands still\n' >/dev/ttyS1
	sleep 60
}
