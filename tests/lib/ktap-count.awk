# SPDX-License-Identifier: GPL-2.0
#
# Counts the results in one test's KTAP: "PASSED FAILED SKIPPED", and behind
# them words about what is wrong with the report itself.
#
# Only leaves count: a result that sums up deeper ones adds nothing, unless it
# fails though none of those did. A plan that is not kept is a failure, and so
# is a report without a plan at its outermost level.

function complain(text)
{
	failed++
	why = why (why ? "; " : " ") text
}

# The level at @depth ends: has it kept its plan?
function close_level(depth)
{
	if (depth in plan && plan[depth] != seen[depth])
		complain("planned " plan[depth] " results, got " seen[depth])
	delete plan[depth]
	delete seen[depth]
	delete bad[depth]
}

{
	match($0, /^ */)
	depth = RLENGTH
	line = substr($0, depth + 1)
}

line ~ /^1\.\.[0-9]+/ {
	plan[depth] = substr(line, 4) + 0
	seen[depth] += 0
	if (depth == 0)
		planned = 1
}

line ~ /^(not )?ok( |$)/ {
	below = 0
	below_bad = 0
	for (d in seen) {
		if (d + 0 > depth) {
			below += seen[d]
			below_bad += bad[d]
			close_level(d)
		}
	}
	seen[depth]++
	not_ok = line ~ /^not /
	if (not_ok)
		bad[depth]++
	if (below && (!not_ok || below_bad))
		next
	if (not_ok)
		failed++
	else if (line ~ /# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else
		passed++
}

END {
	for (d in seen)
		close_level(d)
	if (!planned)
		complain("no plan")
	print passed + 0, failed + 0, skipped + 0 why
}
