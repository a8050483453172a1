#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sparse has nothing to say about the modules: byte order, address spaces,
# locks. What it says about the kernel's own headers does not count.
set -u
. "$(dirname "$0")/../lib/static.sh"

for release in $(kernels); do
	tree=$PWD/build/kbuild/$release
	if ! out=$(make_modules "$release" C=2); then
		ktap_fail "sparse $release" "the build failed" "$out"
		continue
	fi
	out=$(grep -E "^$tree/|command not found" <<<"$out")
	if [ -n "$out" ]; then
		ktap_fail "sparse $release" "has something to say" "${out//$tree\//}"
	else
		ktap_pass "sparse $release"
	fi
done

# that silence means something: a wrong byte order, in a module of its own
proof=$PWD/build/sparse-proof
rm -rf "$proof"
mkdir -p "$proof"
echo 'obj-m += proof.o' >"$proof/Kbuild"
cat >"$proof/proof.c" <<-'END'
	#include <linux/module.h>
	__le32 proof(u32 value);
	__le32 proof(u32 value)
	{
		return value;
	}
	MODULE_LICENSE("GPL");
	MODULE_DESCRIPTION("proof");
END
for release in $(kernels); do
	out=$(make -s -C "/lib/modules/$release/build" M="$proof" C=2 proof.o 2>&1)
	if grep -q 'proof.c.*different base types' <<<"$out"; then
		ktap_pass "sparse $release sees an error"
	else
		ktap_fail "sparse $release sees an error" "it did not" "$out"
	fi
done
ktap_exit
