/*
 * stratify.c
 *	  Random numbers that the rows of a batch share out evenly.
 */
#include "numeric/stratify.h"

#include <string.h>

/*
 * gs_stratify: puts rows in the order of their groups, and those of a group
 * in random order: even->row.
 *
 * n: rows, at most 65535; group: [n] below ngroups; word: [n] random.
 */
void
gs_stratify(GsStrata *strata, int n, const int32_t *group, int ngroups,
			const uint32_t *word)
{
	uint16_t   *shuffled = strata->shuffled;
	uint16_t   *at = strata->counter;

	for (int i = 0; i < n; i++)
	{
		int			j = (int) (((uint64_t) word[i] * ((uint64_t) i + 1)) >> 32);

		shuffled[i] = shuffled[j];
		shuffled[j] = (uint16_t) i;
	}
	memset(at, 0, sizeof(uint16_t) * ((size_t) ngroups + 1));
	for (int i = 0; i < n; i++)
		at[group[i] + 1]++;
	for (int g = 0; g < ngroups; g++)
		at[g + 1] += at[g];
	for (int i = 0; i < n; i++)
	{
		int			r = shuffled[i];

		strata->row[at[group[r]]++] = (uint16_t) r;
	}
}
