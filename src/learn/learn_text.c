/*
 * learn_text.c
 *	  Which texts are levels of a category, and which are generated anew.
 */
#include "postgres.h"

#include "learn/learn_internal.h"

/* A text's frequent values stand for the rare ones from this coverage on. */
#define TEXT_COVERAGE		0.80
/* Unless at least so many rows have others, and most one of their own. */
#define TEXT_UNKNOWN		0.01
#define TEXT_UNIQUE			0.50
#define TEXT_UNIQUE_VALUES	100
/* Below this one, a text is near unique: only its heavy values are shown. */
#define TEXT_HEAVY			0.01

static int
by_count_then_text(const void *a, const void *b)
{
	const ValueCount *x = a;
	const ValueCount *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->text->text, y->text->text);
}

/*
 * The labels of an enum are public: each is a level, in the enum's order.
 */
static void
learn_enum(LaneView *view)
{
	GsFeature  *feature = view->feature;
	const GsCodec *codec = &view->column->codec;
	int			n = 0;

	gs_alloc_levels(feature, codec->nlabels);
	for (int i = 0; i < codec->nlabels; i++)
	{
		const char *label = codec->label[i];
		uint64		hash = gs_format_hash(label, strlen(label),
										  view->lane->salt);
		int64		count = 0;
		int64		low = 0;
		int64		high = view->npresent;

		while (low < high)
		{
			int64		middle = (low + high) / 2;

			if (view->sorted[middle].hash < hash)
				low = middle + 1;
			else
				high = middle;
		}
		while (low < view->npresent && view->sorted[low].hash == hash)
		{
			low++;
			count++;
		}
		if (count == 0)
			continue;
		feature->level[n].hash = hash;
		feature->text[n] = pstrdup(label);
		feature->share[n++] = count;
	}
	feature->nlevels = n;
}

/*
 * Whether the texts that are no levels are to be generated anew: they are
 * many, or a small part of the rows holds texts that differ from row to row,
 * as remarks do.  The rare values of a category are neither.
 */
static bool
others_matter(const LaneView *view, int64 covered)
{
	int64		rest = view->npresent - covered;
	int64		nrare = 0;
	int64		next;

	if (covered < TEXT_COVERAGE * view->npresent)
		return true;
	if (rest < TEXT_UNKNOWN * view->npresent)
		return false;
	for (int64 i = 0; i < view->npresent; i = next)
	{
		for (next = i + 1; next < view->npresent; next++)
			if (view->sorted[next].hash != view->sorted[i].hash)
				break;
		nrare += next - i < view->threshold;
	}
	return nrare >= TEXT_UNIQUE_VALUES && nrare >= TEXT_UNIQUE * rest;
}

/*
 * gs_learn_text: a text's levels: the values that enough rows hold.  The rare ones are
 * treated as not known where they are few, else generated anew.
 */
void
gs_learn_text(LaneView *view, uint64 salt)
{
	GsFeature  *feature = view->feature;
	int64		covered = 0;
	int64		min = view->threshold;
	int			n = 0;

	if (view->column->codec.kind->content == GS_CONTENT_LABEL)
	{
		learn_enum(view);
		return;
	}
	gs_count_values(view, INT_MAX - 1, view->threshold);
	for (int i = 0; i < view->nvalues; i++)
	{
		view->values[i].text = gs_lane_text(view->lane,
											view->values[i].scalar.hash);
		if (view->values[i].text == NULL ||
			view->values[i].text->len > GS_MAX_LEVEL_BYTES)
			continue;
		covered += view->values[i].count;
		view->values[n++] = view->values[i];
	}
	qsort(view->values, n, sizeof(ValueCount), by_count_then_text);
	if (covered < NEAR_UNIQUE * view->npresent &&
		view->column->owner == 0)
		min = Max(min, (int64) (TEXT_HEAVY * view->npresent));
	while (n > GS_MAX_LEVELS || (n > 0 && view->values[n - 1].count < min))
		covered -= view->values[--n].count;

	if (view->column->codec.kind->content == GS_CONTENT_JSON &&
		!view->column->context && others_matter(view, covered))
	{
		view->documents = gs_learn_documents(view, salt);
		return;
	}
	gs_alloc_levels(feature, n);
	for (int i = 0; i < n; i++)
	{
		feature->level[i] = view->values[i].scalar;
		feature->text[i] = pstrdup(view->values[i].text->text);
		feature->share[i] = view->values[i].count;
		view->values[i].text->shown = true;
	}
	if (others_matter(view, covered))
	{
		feature->other_level = feature->nlevels++;
		feature->share[feature->other_level] = view->npresent - covered;
		/* a member's are in the format of its documents */
		if (view->column->owner == 0)
		{
			gs_learn_format(view, salt);
			view->documents = gs_learn_slots(view);
		}
	}
}
