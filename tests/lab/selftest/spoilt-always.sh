# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# WANT: fail
# SHOWS: spoilt-always: a fault of the emulator (guest g stands still): it runs again
# SHOWS: # spoilt-always: a fault of the emulator (guest g stands still)
# SHOWS: not ok 1 - what the emulator spoils

host() {
	check "what the emulator spoils" false
	printf '\n@lab spoilt guest g stands still\n' >/dev/ttyS1
	sleep 60
}
