/*
 * learn.c
 *	  From lanes to features: what a fit finds out about its columns.
 *
 * For each part of a column: which values are levels of a category, or how
 * its numbers are distributed; what is too rare to be shown (value
 * protection); and for every row of the sample the bin that a family sees.
 * Each lane is let go as soon as its bins are there.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "column/members.h"
#include "encode/encode.h"
#include "key/key.h"
#include "learn/center.h"
#include "learn/learn_internal.h"
#include "learn/order.h"
#include "learn/quantile.h"
#include "codec/composite.h"
#include "numeric/normal.h"
#include "worker/progress.h"


static uint16 *
alloc_bins(int64 nrows)
{
	return palloc_extended(sizeof(uint16) * Max(nrows, 1), MCXT_ALLOC_HUGE);
}

static void
sort_lane(LaneView *view)
{
	view->npresent = 0;
	view->sorted = palloc_extended(sizeof(GsScalar) * Max(view->nrows, 1),
								   MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < view->nrows; i++)
		if (!is_absent(view->lane, i) && is_counted(view, i))
			view->sorted[view->npresent++] = view->lane->scalar[i];
	gs_scalars_sort(view->sorted, view->npresent, view->lane->type);
}

/*
 * gs_count_values: counts the distinct values of a sorted lane that at least
 * min rows hold, into view->values; gives up beyond a limit, with a count of
 * one more than it.
 */
void
gs_count_values(LaneView *view, int limit, int64 min)
{
	int64		next;

	view->values = palloc(sizeof(ValueCount) * 64);
	view->nvalues = 0;
	for (int64 i = 0; i < view->npresent; i = next)
	{
		for (next = i + 1; next < view->npresent; next++)
			if (gs_scalar_compare(view->sorted[i], view->sorted[next],
								  view->lane->type) != 0)
				break;
		if (next - i < min)
			continue;
		if (view->nvalues >= 64 && (view->nvalues & (view->nvalues - 1)) == 0)
			view->values = repalloc_huge(view->values, sizeof(ValueCount) *
										 (Size) view->nvalues * 2);
		view->values[view->nvalues].scalar = view->sorted[i];
		view->values[view->nvalues].count = next - i;
		view->values[view->nvalues].text = NULL;
		if (++view->nvalues > limit)
			return;
	}
}

/*
 * gs_alloc_levels: makes a feature a category, its levels to be filled.
 */
void
gs_alloc_levels(GsFeature *feature, int nlevels)
{
	feature->kind = GS_FEATURE_CATEGORY;
	feature->nlevels = nlevels;
	feature->share = palloc0(sizeof(double) * (nlevels + 2));
	feature->level = palloc0(sizeof(GsScalar) * (nlevels + 2));
	feature->text = palloc0(sizeof(char *) * (nlevels + 2));
	feature->null_level = feature->other_level = -1;
}

/*
 * Scales shares to a sum of 1.
 */
static void
normalise(GsFeature *feature)
{
	double		sum = 0;

	for (int i = 0; i < feature->nlevels; i++)
		sum += feature->share[i];
	for (int i = 0; i < feature->nlevels; i++)
		feature->share[i] = sum > 0 ? feature->share[i] / sum :
			1.0 / feature->nlevels;
}

/*
 * Row bins of a category.  Returns which rows have values that are too rare to
 * be levels, or NULL if none has.
 */
static bool *
bin_category(const LaneView *view, uint16 *bin)
{
	bool	   *rare = NULL;
	GsLevels   *levels = gs_levels_create(view->feature, NULL);

	for (int64 row = 0; row < view->nrows; row++)
	{
		int			level = is_unknown(view, row) ? -1 :
			is_absent(view->lane, row) ? view->feature->null_level :
			gs_levels_find(levels, view->lane->scalar[row]);

		bin[row] = level < 0 ? GS_MISSING : (uint16) level;
		if (level >= 0 || is_absent(view->lane, row) || is_unknown(view, row))
			continue;
		if (rare == NULL)
			rare = palloc_extended(view->nrows,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		rare[row] = true;
	}
	gs_levels_free(levels);
	return rare;
}

/*
 * Row segments of a number, where in them, and its bins: about GS_BINS groups of neighbouring
 * segments.  Returns how many bins there are.
 */
static int
bin_number(const LaneView *view, uint16 *bin, uint16 *segment,
		   uint16 *within)
{
	const GsFeature *feature = view->feature;
	const GsQuantile *q = &feature->quantile;
	uint16	   *bin_of = palloc(sizeof(uint16) * q->nsegments);
	int			nbins = gs_quantile_bins(feature, bin_of);

	for (int64 row = 0; row < view->nrows; row++)
	{
		GsScalar	scalar = view->lane->scalar[row];

		bin[row] = segment[row] = GS_MISSING;
		within[row] = 0;
		if (is_absent(view->lane, row))
			continue;
		segment[row] = (uint16) gs_quantile_nearest(feature, scalar);
		/* a rare value tells nothing of those next to it: gs_learn_rare */
		if (view->column->exact &&
			(gs_scalar_compare(scalar, q->low[segment[row]],
							   feature->lane) < 0 ||
			 gs_scalar_compare(scalar, q->high[segment[row]],
							   feature->lane) > 0))
		{
			within[row] = segment[row] + 1;
			segment[row] = GS_MISSING;
			continue;
		}
		within[row] = (uint16)
			rint(gs_quantile_position(feature, segment[row], scalar, 0.5) *
				 65535);
		bin[row] = bin_of[segment[row]];
	}
	pfree(bin_of);
	return nbins;
}

/*
 * gs_learn_rare: gives rows whose number is too rare to be shown the nearest
 * one, once it is known what single numbers tell of other columns: of these
 * rows they would tell it wrong, but a family is to learn where they are.  Until
 * then, their segments and bins are missing, and their places are 1 + the
 * segment.
 */
void
gs_learn_rare(const GsSchema *schema, GsEncoded *encoded)
{
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];
		uint16	   *bin_of;

		if (feature->kind != GS_FEATURE_NUMBER || feature->part < 0 ||
			!schema->columns[feature->column].exact)
			continue;
		bin_of = palloc(sizeof(uint16) * feature->quantile.nsegments);
		(void) gs_quantile_bins(feature, bin_of);
		for (int64 row = 0; row < encoded->nrows; row++)
		{
			uint16		place = encoded->within[f][row];

			if (encoded->segment[f][row] != GS_MISSING || place == 0)
				continue;
			encoded->segment[f][row] = place - 1;
			encoded->bin[f][row] = bin_of[place - 1];
			encoded->within[f][row] = PG_UINT16_MAX / 2;
		}
		pfree(bin_of);
	}
}

/*
 * Whether the values of a text lane that may be shown are nearly all there
 * are.
 */
static bool
values_are_few(LaneView *view)
{
	int64		covered = 0;

	gs_count_values(view, INT_MAX - 1, view->threshold);
	for (int i = 0; i < view->nvalues; i++)
		covered += view->values[i].count;
	pfree(view->values);
	return covered >= FEW_COVERAGE * view->npresent;
}

/*
 * Learns a unique column as a key, if one can be made of its type.  Returns
 * whether it was: the column has no feature then, but perhaps its NULLs.
 */
static bool
learn_key(LaneView *view, int64 seen, uint64 salt)
{
	GsColumn   *column = view->column;
	GsKeyRows	rows = {.rows = seen,.sampled = view->nrows,
	.threshold = view->threshold};

	if (!column->unique || column->codec.nparts > 1)
		return false;
	sort_lane(view);
	rows.present = view->npresent;
	/* where NULLs are no way out, a single value tells enough */
	if (view->npresent >= (column->one_null ? 1 : view->threshold))
	{
		if (column->codec.kind->content == GS_CONTENT_BITS)
			gs_learn_lengths(view);
		column->key = gs_key_learn(column, view->lane, view->sorted, &rows);
		if (column->key != NULL && column->key->kind == GS_KEY_TEXT)
			gs_learn_format(view, salt);
		if (column->key != NULL)
			view->documents = gs_key_learn_members(view);
	}
	pfree(view->sorted);
	return column->key != NULL;
}

/*
 * Finds out what a column that is unique in some rows, or with others, can go on
 * with where rows collide.
 */
static void
learn_spare(LaneView *view, int64 seen)
{
	GsColumn   *column = view->column;
	GsKeyRows	rows = {.rows = seen,.sampled = view->nrows,
	.threshold = view->threshold};

	if (!column->partly_unique || column->codec.nparts > 1 ||
		column->codec.kind->content == GS_CONTENT_BITS ||
		column->layout != NULL)
		return;
	sort_lane(view);
	rows.present = view->npresent;
	if (view->npresent >= view->threshold)
		column->spare = gs_key_learn(column, view->lane, view->sorted, &rows);
	pfree(view->sorted);
	if (column->spare != NULL && column->spare->kind == GS_KEY_LIST)
		column->spare = NULL;
}

/*
 * Whether a row has no part of a column.
 */
static bool
is_null(const GsLane *lanes, int nparts, int64 row)
{
	for (int p = 0; p < nparts; p++)
		if (!is_absent(&lanes[p], row))
			return false;
	return true;
}

/*
 * Learns one part of a column.  nulls: whether NULL is to be a level of it.
 */
static void
learn_part(LaneView *view, int64 nulls, uint64 salt)
{
	GsFeature  *feature = view->feature;

	sort_lane(view);
	if (view->lane->is_numeric && view->lane->type == GS_LANE_TEXT &&
		!values_are_few(view))
	{
		/* wide numerics: to interpolate between them they must be numbers */
		gs_lane_to_double(view->lane, view->nrows);
		pfree(view->sorted);
		sort_lane(view);
	}
	feature->lane = view->lane->type;
	feature->scale = view->lane->scale;
	feature->min_scale = Max(view->lane->min_scale, 0);
	feature->step = 1;
	feature->decimals = -1;
	feature->null_level = feature->other_level = -1;
	if (view->npresent < view->threshold &&
		!gs_codec_is_public(&view->column->codec))
		gs_alloc_levels(feature, 0);
	else if (feature->lane == GS_LANE_TEXT)
		gs_learn_text(view, salt);
	else
		gs_learn_number(view);
	pfree(view->sorted);
	for (int64 row = 0; row < view->nrows && view->column->document; row++)
		nulls -= is_unknown(view, row) && is_absent(view->lane, row);

	if (feature->kind == GS_FEATURE_CATEGORY)
	{
		if (view->column->codec.nparts == 1 &&
			(nulls >= view->threshold || feature->nlevels == 0))
		{
			feature->null_level = feature->nlevels++;
			feature->share[feature->null_level] = Max(nulls, 1);
		}
		else if (feature->nlevels == 0)
		{
			/* a part that hardly any value has: any value will do */
			feature->nlevels = 1;
			if (feature->lane == GS_LANE_TEXT)
				feature->lane = GS_LANE_INT;
		}
		normalise(feature);
	}
}

/*
 * Learns the order of a key as a number of its own, if anything depends on it.
 *
 * view: its lane, which is let go
 */
static void
learn_order(LaneView *view, GsSchema *schema, GsEncoded *out)
{
	int			f = schema->nfeatures;
	GsFeature  *feature = &schema->features[f];

	view->feature = feature;
	feature->column = view->column - schema->columns;
	feature->lane = view->lane->type;
	feature->scale = view->lane->scale;
	feature->min_scale = Max(view->lane->min_scale, 0);
	feature->null_level = feature->other_level = -1;
	sort_lane(view);
	gs_learn_number(view);
	feature->endings = NULL;	/* it says where, and not what */
	pfree(view->sorted);
	if (feature->kind == GS_FEATURE_NUMBER)
	{
		out->bin[f] = alloc_bins(view->nrows);
		out->segment[f] = alloc_bins(view->nrows);
		out->within[f] = alloc_bins(view->nrows);
		out->nbins[f] = bin_number(view, out->bin[f], out->segment[f],
								   out->within[f]);
		if (gs_order_matters(out, f, out->bin[f], out->nbins[f]))
			gs_key_set_order(view->column->key, f + 1, false, false);
	}
	if (view->column->key->order == f + 1)
	{
		view->column->feature[0] = f;
		schema->nfeatures++;
	}
	else
		memset(feature, 0, sizeof(GsFeature));
	gs_lane_free(view->lane);
}

/*
 * Learns what orders keys.
 *
 * pending: [ncolumns] keys whose lanes are still there
 */
static void
learn_orders(GsSample *sample, GsSchema *schema, GsEncoded *out,
			 const bool *pending, int threshold)
{
	gs_orders_settle(schema);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		LaneView	view = {.column = &schema->columns[c],
			.lane = &sample->lanes[c * GS_MAX_PARTS],.nrows = sample->nrows,
		.threshold = threshold};

		if (!pending[c])
			continue;
		if (schema->columns[c].key->order == 0)
			learn_order(&view, schema, out);
		else
			gs_lane_free(view.lane);
	}
}

/*
 * The NULL indicator of a column: code 1 where it is NULL.
 */
static void
learn_indicator(const LaneView *view, GsFeature *feature, int64 nulls,
				const bool *null_rows, uint16 *bin)
{
	gs_alloc_levels(feature, 2);
	feature->lane = GS_LANE_INT;
	feature->part = -1;
	feature->step = 1;
	feature->decimals = -1;
	feature->level[1].i = 1;
	feature->share[0] = view->nknown - nulls;
	feature->share[1] = nulls;
	normalise(feature);
	for (int64 row = 0; row < view->nrows; row++)
		bin[row] = is_unknown(view, row) ? GS_MISSING : null_rows[row] ? 1 : 0;
}

/*
 * gs_add_flag: adds a feature that says something of a column's rows.
 *
 * bin: [nrows] 0, 1 or GS_MISSING, kept.  Returns its index.
 */
int
gs_add_flag(GsSchema *schema, GsEncoded *encoded, int column, int part,
			uint16 *bin)
{
	int			f = schema->nfeatures++;
	GsFeature  *feature = &schema->features[f];

	encoded->nfeatures++;
	gs_alloc_levels(feature, 2);
	feature->column = column;
	feature->part = part;
	feature->lane = GS_LANE_INT;
	feature->step = 1;
	feature->decimals = -1;
	feature->level[1].i = 1;
	for (int64 row = 0; row < encoded->nrows; row++)
		if (bin[row] != GS_MISSING)
			feature->share[bin[row]]++;
	normalise(feature);
	encoded->bin[f] = bin;
	encoded->nbins[f] = 2;
	return f;
}

/*
 * gs_sample_put: puts a row of the source in a place of the sample, a new one
 * or that of another row.
 *
 * values, nulls: [ncolumns].  To be called in a context that is reset after
 * the row; styled: see GsCodecKind.
 */
void
gs_sample_put(GsSample *sample, int64 row, const Datum *values,
			  const bool *nulls)
{
	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsCodec    *codec = &sample->columns[c].codec;
		GsPart		parts[GS_MAX_PARTS];

		if (!nulls[c])
			gs_codec_split(codec, values[c], parts);
		for (int p = 0; p < codec->nparts; p++)
			gs_lane_put(&sample->lanes[c * GS_MAX_PARTS + p], row,
						sample->nrows, nulls[c] ? NULL : &parts[p]);
	}
	sample->nrows = Max(sample->nrows, row + 1);
}

/* What the columns of a sample become. */
typedef struct Learning
{
	GsSchema   *schema;
	GsEncoded  *encoded;
	int64		seen;			/* rows of the source */
	uint64		salt;
	bool	   *pending;		/* [nall] keys whose lanes may tell of an order */
	const bool *begins;			/* [nrows] an owner's first row; or NULL */
} Learning;

/*
 * A new feature of a column, and the rows' bins in it.
 */
static GsFeature *
add_feature(Learning *learning, int column, int part, uint16 **bin)
{
	int			f = learning->schema->nfeatures++;
	GsFeature  *feature = &learning->schema->features[f];

	feature->column = column;
	feature->part = part;
	*bin = learning->encoded->bin[f] = alloc_bins(learning->encoded->nrows);
	return feature;
}

/*
 * Learns a part of a column that is no key, and frees its lane.
 */
static void
add_part(Learning *learning, LaneView *view, int column, int part,
		 int64 nulls)
{
	GsEncoded  *encoded = learning->encoded;
	int			f = learning->schema->nfeatures;
	uint16	   *bin;

	view->feature = add_feature(learning, column, part, &bin);
	learn_part(view, nulls, learning->salt);
	view->column->feature[part] = f;
	if (view->feature->kind == GS_FEATURE_NUMBER)
	{
		encoded->segment[f] = alloc_bins(view->nrows);
		encoded->within[f] = alloc_bins(view->nrows);
		encoded->nbins[f] = bin_number(view, bin, encoded->segment[f],
									   encoded->within[f]);
	}
	else
	{
		bool	   *rare = bin_category(view, bin);

		/* of known values nothing is learned but what goes with them */
		if (!view->column->context)
			encoded->rare[f] = rare;
		encoded->nbins[f] = view->feature->nlevels;
	}
	gs_lane_free(view->lane);
}

/*
 * Learns a column of the schema.
 *
 * view: with rows, threshold and, of a member, unknown rows; lanes: of its
 * parts, which are freed.
 */
static void
learn_column(Learning *learning, LaneView *view, int c, GsLane *lanes)
{
	GsSchema   *schema = learning->schema;
	GsColumn   *column = &schema->columns[c];
	bool	   *null_rows = palloc_extended(Max(view->nrows, 1),
											MCXT_ALLOC_HUGE);
	int64		nulls = 0;
	int			first = schema->nfeatures;
	bool		whole_null;

	CHECK_FOR_INTERRUPTS();
	view->column = column;
	view->counted = column->shared ? learning->begins : NULL;
	view->nknown = 0;

	for (int64 row = 0; row < view->nrows; row++)
	{
		bool		known = !is_unknown(view, row);

		null_rows[row] = known && is_null(lanes, column->codec.nparts, row);
		view->nknown += known && is_counted(view, row);
		nulls += null_rows[row] && is_counted(view, row);
	}
	if (column->codec.nparts > 1 && column->layout == NULL &&
		nulls < view->nknown)
		gs_composite_learn(column, lanes, view->nrows, view->threshold);
	for (int p = 0; p < GS_MAX_PARTS; p++)
		column->feature[p] = -1;
	view->lane = &lanes[0];
	view->documents = column->offsets;
	if (column->key != NULL ||
		learn_key(view, learning->seen, learning->salt))
	{
		learning->pending[c] = gs_order_is_possible(column, view->lane,
													view->nrows);
		for (int p = 0; p < column->codec.nparts && !learning->pending[c]; p++)
			gs_lane_free(view->lane + p);
	}
	else
		learn_spare(view, learning->seen);
	for (int p = 0; p < column->codec.nparts && column->key == NULL; p++)
	{
		view->lane = &lanes[p];
		add_part(learning, view, c, p, column->impute ? 0 : nulls);
	}

	/* further texts are drawn in the format of those that are generated */
	if (column->spare != NULL && column->spare->kind == GS_KEY_TEXT &&
		column->format == NULL)
		column->spare = NULL;

	/* fewer values than may be shown: nothing but NULL comes out */
	whole_null = view->nknown - nulls < view->threshold;
	column->null_feature = -1;
	column->nullable = column->key == NULL &&
		schema->features[first].null_level >= 0;
	if (!column->nullable &&
		((nulls >= view->threshold && !column->impute) || whole_null) &&
		!(column->key != NULL &&
		  (column->one_null || column->key->kind == GS_KEY_COPY)))
	{
		int			f = schema->nfeatures;
		uint16	   *bin;
		GsFeature  *feature = add_feature(learning, c, -1, &bin);

		if (whole_null)
			memset(null_rows, true, view->nrows);
		learn_indicator(view, feature, whole_null ? view->nknown : nulls,
						null_rows, bin);
		column->null_feature = f;
		column->nullable = true;
		learning->encoded->nbins[f] = 2;
	}
	memset(learning->encoded->context + first, column->context,
		   schema->nfeatures - first);
	pfree(null_rows);
}

/*
 * Learns the members of a column of documents or texts, which go behind all
 * columns.
 */
static void
learn_members(Learning *learning, LaneView *view, int c)
{
	GsSchema   *schema = learning->schema;
	GsDocuments *documents = view->documents;

	if (documents->unknown != NULL)
		view->unknown = documents->unknown;
	schema->columns[c].member = schema->nall;
	schema->columns[c].nmembers = documents->nmembers;
	for (int m = 0; m < documents->nmembers; m++)
	{
		schema->columns[schema->nall] = documents->member[m];
		schema->columns[schema->nall].owner = c + 1;
		learn_column(learning, view, schema->nall++, &documents->lane[m]);
	}
	if (view->unknown != NULL)
		pfree(view->unknown);
}

/*
 * gs_schema_learn: turns a sample into features and bins, but for columns that
 * have a key already.
 *
 * threshold: rows that must hold a value for it to be shown; salt: of the
 * lanes' hashes.  The lanes are freed.  Returns the schema, and in *encoded
 * the bins of every row, in the current context.
 */
GsSchema *
gs_schema_learn(GsSample *sample, int threshold, uint64 salt,
				GsEncoded **encoded)
{
	GsSchema   *schema = palloc0(sizeof(GsSchema));
	GsEncoded  *out = palloc0(sizeof(GsEncoded));
	Learning	learning = {.schema = schema,.encoded = out,
	.seen = sample->seen,.salt = salt,.begins = sample->begins};
	int			most = sample->ncolumns;
	int			room;

	gs_orders_find(sample, threshold);

	/* documents and texts may turn out to have members */
	for (int c = 0; c < sample->ncolumns; c++)
	{
		GsContent	content = sample->columns[c].codec.kind->content;

		most += sample->columns[c].offsets != NULL;
		most += content == GS_CONTENT_JSON ? GS_MAX_MEMBERS :
			content == GS_CONTENT_TEXT ? GS_MAX_SLOT_MEMBERS : 0;
	}
	room = GS_MAX_FEATURES(most);
	learning.pending = palloc0(Max(most, 1));
	schema->ncolumns = schema->nall = sample->ncolumns;
	schema->columns = palloc0(sizeof(GsColumn) * Max(most, 1));
	memcpy(schema->columns, sample->columns,
		   sizeof(GsColumn) * sample->ncolumns);
	schema->features = palloc0(sizeof(GsFeature) * room);
	out->nrows = sample->nrows;
	out->nbins = palloc0(sizeof(int) * room);
	out->bin = palloc0(sizeof(uint16 *) * room);
	out->segment = palloc0(sizeof(uint16 *) * room);
	out->within = palloc0(sizeof(uint16 *) * room);
	out->rank = palloc0(sizeof(uint16 *) * room);
	out->predictor = palloc0(sizeof(bool) * room);
	out->determined = palloc0(sizeof(bool) * room);
	out->context = palloc0(sizeof(bool) * room);
	out->rare = palloc0(sizeof(bool *) * room);
	for (int c = 0; c < sample->ncolumns; c++)
	{
		LaneView	view = {.nrows = sample->nrows,.threshold = threshold};

		gs_progress_done(c);
		learn_column(&learning, &view, c, &sample->lanes[c * GS_MAX_PARTS]);
		if (view.documents != NULL)
			learn_members(&learning, &view, c);
	}
	learn_orders(sample, schema, out, learning.pending, threshold);
	gs_centers_learned(schema);
	out->features = schema->features;
	out->nfeatures = schema->nfeatures;
	*encoded = out;
	return schema;
}
