/*
 * offspring.c
 *	  How many children the parents get that a foreign key refers to.
 *
 * The model has the numbers of children that parents of the source had, and
 * how many had so many (fit/children.c).  Any n parents get a systematic
 * sample of these numbers, the greatest first, and their children are counted
 * through: so whose child one is follows by arithmetic, without a list of
 * parents.
 */
#include "postgres.h"

#include <math.h>

#include "fit/children.h"
#include "stream/offspring.h"

/*
 * gs_offspring_load: what a model says of a foreign key (NULL: nothing), in
 * the current context.  False if it says nothing: then rows are spread evenly.
 */
bool
gs_offspring_load(GsOffspring *offspring, const GsModel *model,
				 const GsConstraint *constraint)
{
	const GsTensor *tensor = constraint == NULL ? NULL :
		gs_tensor_find(model->version->tensors, gs_children_name(constraint));
	int			rows = GS_CHILDREN_TOTALS;
	const int64 *counts = NULL;

	memset(offspring, 0, sizeof(GsOffspring));
	if (tensor != NULL)
	{
		rows = tensor->dims[0];
		if (tensor->type != GS_I8 || tensor->ndims != 2 ||
			tensor->dims[1] != 2 || rows < GS_CHILDREN_TOTALS)
			gs_corrupted("Tensor \"%s\" has the wrong shape.", tensor->name);
		counts = tensor->data;
		for (int i = 0; i < 2 * rows; i++)
			if (counts[i] < 0 || counts[i] > INT64CONST(1) << 48)
				gs_corrupted("Tensor \"%s\" has an impossible count.",
							 tensor->name);
		offspring->all_rows = counts[2 * GS_CHILDREN_ALL];
		offspring->all_parents = counts[2 * GS_CHILDREN_ALL + 1];
		offspring->known_rows = counts[2 * GS_CHILDREN_KNOWN];
		offspring->rows = counts[2 * GS_CHILDREN_OTHERS];
	}
	offspring->siblings = palloc0(sizeof(GsSiblings) *
							   (rows - GS_CHILDREN_TOTALS + 1));
	for (int i = rows - 1; i >= GS_CHILDREN_TOTALS; i--)
		if (counts[2 * i + 1] > 0)
		{
			offspring->siblings[offspring->n].children = counts[2 * i];
			offspring->siblings[offspring->n++].parents = counts[2 * i + 1];
		}
	if (offspring->n == 0 || offspring->siblings[0].children == 0)
	{
		offspring->siblings[0].children = offspring->siblings[0].parents = 1;
		offspring->n = 1;
	}
	return tensor != NULL;
}

/*
 * What numbers of children grow or shrink by, from sum to wanted: with is how
 * many there are if each has one.
 */
static double
growth_to(double wanted, double sum, double with)
{
	if (wanted > sum)
		return sum > 0 ? wanted / sum : 1;
	return sum > with ? Max((wanted - with) / (sum - with), 0) : 1;
}

/*
 * What becomes of a number of children: it grows in proportion, and shrinks
 * down to one.
 */
static double
grown(int64 children, double growth)
{
	if (children == 0 || growth >= 1)
		return children * growth;
	return 1 + (children - 1) * growth;
}

/*
 * gs_offspring_share_out: gives parents a number of children together.  Their
 * numbers grow and shrink alike, down to one child, so that parents without
 * children stay so.
 *
 * some: where there are fewer children than that, some parents have as many as
 * in the source, and the others none; and where nobody has two children,
 * nobody gets two as long as there are others.  Returns how many parents have
 * a part in it.
 */
int64
gs_offspring_share_out(GsOffspring *offspring, int64 parents, int64 children,
					   bool some)
{
	double		all = 0;
	double		with = 0;
	double		of_all = 0;
	double		sum = 0;

	offspring->used = offspring->n;
	offspring->growth = 1;
	for (int i = 0; i < offspring->n; i++)
	{
		const GsSiblings *siblings = &offspring->siblings[i];

		all += siblings->parents;
		with += siblings->children > 0 ? siblings->parents : 0;
		of_all += (double) siblings->children * siblings->parents;
	}
	if (some && (children < parents * with / all || of_all == with))
	{
		parents = Min(parents, (int64) ceil(children * with / of_all));
		offspring->used -= offspring->siblings[offspring->n - 1].children == 0;
		all = with;
	}
	else
		offspring->growth = growth_to(children * all / parents, of_all, with);
	for (int i = 0; i < offspring->used; i++)
	{
		sum += offspring->siblings[i].parents;
		offspring->siblings[i].until = sum / all;
	}
	return parents;
}

/*
 * Counts the children of n parents up to one: returns those before its
 * parent's class, or all, and sets *parent to whose child it is.
 */
static double
count_up_to(const GsOffspring *offspring, int64 n, double shift,
			double growth, double child, int64 *parent)
{
	double		end = 0;
	int64		from = 0;

	for (int i = 0; i < offspring->used; i++)
	{
		const GsSiblings *siblings = &offspring->siblings[i];
		int64		to = i == offspring->used - 1 ? n :
			Max(from, (int64) ceil(n * siblings->until - shift));
		double		each = grown(siblings->children, growth);

		if (child < end + (to - from) * each)
		{
			*parent = Min(from + (int64) ((child - end) / each), to - 1);
			return end;
		}
		end += (to - from) * each;
		from = to;
	}
	return end;
}

/*
 * gs_offspring_count: how many children n parents have together.
 *
 * shift: between 0 and 1, where the systematic sample begins; growth: what
 * becomes of their numbers (1: as in the source)
 */
double
gs_offspring_count(const GsOffspring *offspring, int64 n, double shift,
				   double growth)
{
	int64		parent;

	return count_up_to(offspring, n, shift, growth, INFINITY, &parent);
}

/*
 * gs_offspring_growth: what makes the children of n parents so many, or else
 * one for each that has any.
 */
double
gs_offspring_growth(const GsOffspring *offspring, int64 n, double shift,
					double children)
{
	return growth_to(children, gs_offspring_count(offspring, n, shift, 1),
					 gs_offspring_count(offspring, n, shift, 0));
}

/*
 * gs_offspring_find: which of n parents has a child, from 0, which is below
 * gs_offspring_count of the same.
 */
int64
gs_offspring_find(const GsOffspring *offspring, int64 n, double shift,
				  double growth, double child)
{
	int64		parent = 0;

	(void) count_up_to(offspring, n, shift, growth, child, &parent);
	return parent;
}
