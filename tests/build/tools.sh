#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tools build. Their warnings are static/userspace-warnings'.
set -u
. "$(dirname "$0")/../lib/static.sh"

ktap_succeeds tools make -s tools
ktap_exit
