#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every shell script.
set -u
. "$(dirname "$0")/../lib/static.sh"

check()
{
	shell_files | grep . | xargs shellcheck -f gcc
}

ktap_silent shellcheck check
ktap_exit
