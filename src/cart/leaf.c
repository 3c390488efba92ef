/*
 * leaf.c
 *	  The smoothed distribution of a leaf.
 *
 * Levels and atoms come from the leaf's counts, shrunken towards those of
 * its parent node (Buntine, "Learning classification trees", Statistics and
 * Computing 2, 1992).  What is continuous becomes cells between the
 * middles of neighbouring rows, each with one row's probability, within
 * which a value is drawn evenly: never a row's own value, and no gaps.
 *
 * Plain C: no postgres.h.
 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#define CELLS		128			/* of a continuous part, about */
#define END_CELLS	16			/* at either end, of one row each */

static bool
add_entry(GsLeafTable *table, double below, double position, double width)
{
	if (table->n == table->room)
	{
		int			room = table->room > 0 ? table->room * 2 : 1024;
		GsLeafEntry *entry = realloc(table->entry,
									 sizeof(GsLeafEntry) * room);

		if (entry == NULL)
			return false;
		table->entry = entry;
		table->room = room;
	}
	table->entry[table->n++] = (GsLeafEntry) {
		(float) below, (float) position, (float) width
	};
	return true;
}

/*
 * Adds a node's rows to count[nvalues], by rank.
 */
static void
count_rows(const GsLeafValues *values, const GsTree *tree,
		   const GsTreeNode *node, double each, double *count)
{
	for (uint32_t i = node->from; i < node->to; i++)
	{
		int			value = values->value[tree->row[i]];

		count[values->rank != NULL ? values->rank[value] : value] += each;
	}
}

/*
 * The continuous part: rows of pieces count[npieces], with probability in
 * all.  Row j of the m is in the middle of its share of its piece; cells end
 * half way between two rows, the outer ones with the pieces.
 */
static bool
add_cells(const double *count, int npieces, double probability,
		  double *below, GsLeafTable *table)
{
	double		m = 0;
	double		stride;
	double		done = 0;		/* rows so far */
	double		begun = 0;		/* rows before the open cell */
	double		start = -1;
	double		last = -1;		/* place of the row before */

	for (int piece = 0; piece < npieces; piece++)
		m += count[piece];
	stride = m > CELLS ? m / CELLS : 1;
	for (int piece = 0; piece < npieces; piece++)
	{
		int			n = (int) count[piece];

		for (int j = 0; j < n; j++)
		{
			double		position = piece + (j + 0.5) / n;

			if (start < 0)
				start = piece;
			else if (done - begun >= stride ||
					 done < END_CELLS || done > m - END_CELLS)
			{
				double		end = (last + position) / 2;

				*below += probability * (done - begun) / m;
				if (!add_entry(table, *below, start, end - start))
					return false;
				start = end;
				begun = done;
			}
			last = position;
			done++;
		}
	}
	*below += probability * (done - begun) / m;
	return add_entry(table, *below, start, (int) last + 1 - start);
}

/*
 * gs_leaf_fit
 *
 * Appends the entries of a leaf to a table.  scratch: [2 * nvalues], zeros,
 * and zeros again afterwards.  The last entry ends at 1.  Returns false if
 * memory is out.
 */
bool
gs_leaf_fit(const GsLeafValues *values, const GsTree *tree, int leaf,
			double *scratch, GsLeafTable *table)
{
	const GsTreeNode *node = &tree->node[leaf];
	const GsTreeNode *parent = node->parent >= 0 ?
		&tree->node[node->parent] : node;
	double	   *own = scratch;
	double	   *mixed = scratch + values->nvalues;
	double		n = node->to - node->from;
	double		all = n + values->prior;
	double		continuous = 0;
	double		rows = 0;
	double		below = 0;
	int			different = 0;
	bool		fine = true;

	count_rows(values, tree, node, 1, own);
	count_rows(values, tree, parent,
			   values->prior / (parent->to - parent->from), mixed);
	for (int v = 0; v < values->nvalues && values->pure; v++)
		different += own[v] > 0;
	if (different == 1)
	{
		memset(mixed, 0, sizeof(double) * values->nvalues);
		all = n;
	}
	for (int v = 0; v < values->ncontinuous; v++)
	{
		continuous += (own[v] + mixed[v]) / all;
		rows += own[v];
	}
	if (rows > 0)
		fine = add_cells(own, values->ncontinuous, continuous, &below, table);
	else
		all *= 1 - continuous;	/* the parent's alone has no places here */
	for (int v = values->ncontinuous; v < values->nvalues && fine; v++)
		if (own[v] + mixed[v] > 0)
		{
			below += (own[v] + mixed[v]) / all;
			fine = add_entry(table, below, v, values->rank != NULL);
		}
	if (fine)
		table->entry[table->n - 1].below = 1;
	memset(scratch, 0, sizeof(double) * 2 * values->nvalues);
	return fine;
}
