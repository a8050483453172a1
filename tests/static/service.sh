#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The service is one that systemd understands, and is as closed as it was.
set -u
. "$(dirname "$0")/../lib/static.sh"

UNIT=build/static/service/pvbusd@vm1.service
# of 100, for systemd-analyze; what it is: systemd-analyze security
EXPOSURE=40

make_unit()
{
	# only the program's being there matters
	mkdir -p "${UNIT%/*}" &&
		sed 's|@SBINDIR@/pvbusd|/bin/true|' userspace/pvbusd@.service >"$UNIT"
}

ktap_silent "service: there is a unit" make_unit
ktap_silent "service: systemd understands it" \
	systemd-analyze verify --man=no --recursive-errors=no "$UNIT"
ktap_succeeds "service: exposure is at most $EXPOSURE" systemd-analyze security \
	--offline=true --threshold=$EXPOSURE --no-pager "$UNIT"
ktap_exit
