/*
 * given_values.c
 *	  Conditions on columns: the levels, and the parts of segments, that hold the
 *	  values asked for.
 */
#include "postgres.h"

#include "codec/notation.h"
#include "condition/given_internal.h"
#include "learn/quantile.h"

/*
 * Makes the levels into values that the type can compare.
 */
static void
prepare_levels(Reader *reader)
{
	const GsFeature *feature = reader->feature;

	if (reader->level != NULL)
		return;
	reader->level = palloc0(sizeof(Datum) * Max(feature->nlevels, 1));
	for (int i = 0; i < feature->nlevels; i++)
	{
		GsPart		part = {.lane = feature->lane,.scalar = feature->level[i],
			.text = feature->text[i],.scale = feature->scale,
		.min_scale = feature->min_scale};

		if (i != feature->null_level && i != feature->other_level)
			reader->level[i] = gs_codec_join(&reader->codec, &part);
	}
}

/*
 * gs_allow_text: allows the level that a value's text is.  Texts are compared byte by byte,
 * since types may call different texts equal.
 */
bool
gs_allow_text(Reader *reader, Datum value)
{
	int			level;

	if (reader->encoder == NULL)
	{
		bool	   *known = palloc0(sizeof(bool) * reader->schema->ncolumns);

		known[reader->column - reader->schema->columns] = true;
		reader->encoder = gs_encoder_create(reader->schema, known);
	}
	level = gs_encode_level(reader->encoder, value);
	if (level < 0 || !gs_is_value(reader, level))
		return false;
	reader->allowed[level] = true;
	return true;
}

/*
 * gs_allow_scalars: allows the levels within a range: a single value, of which zero has two.
 */
bool
gs_allow_scalars(Reader *reader, GsScalarRange range)
{
	const GsFeature *feature = reader->feature;
	bool		found = false;

	for (int i = 0; i < feature->nlevels; i++)
		if (gs_is_value(reader, i) &&
			gs_scalar_compare(range.low, feature->level[i],
							  feature->lane) <= 0 &&
			gs_scalar_compare(feature->level[i], range.high,
							  feature->lane) <= 0)
			found = reader->allowed[i] = true;
	return found;
}

/*
 * gs_add_pieces: adds the parts of the segments within a range; point: it is a
 * single value.
 */
void
gs_add_pieces(Reader *reader, GsScalarRange range, bool point)
{
	int			room = reader->npieces + reader->feature->quantile.nsegments;

	if (room > reader->room)
	{
		reader->room = room * 2;
		reader->pieces = reader->pieces == NULL ?
			palloc(sizeof(GsPiece) * reader->room) :
			repalloc_huge(reader->pieces, sizeof(GsPiece) * reader->room);
	}
	reader->npieces += gs_number_pieces(reader->column, reader->feature, range,
										point,
										reader->pieces + reader->npieces);
}

/*
 * gs_add_moments: adds moments that a column by the calendar may have.
 */
void
gs_add_moments(Reader *reader, int64 low, int64 high)
{
	if (reader->moments == NULL)
		reader->moments = palloc(sizeof(GsMoments));
	reader->moments = repalloc(reader->moments,
							   sizeof(GsMoments) * (reader->nmoments + 1));
	for (int i = 0; i < reader->nmoments; i++)
		if (reader->moments[i].low == low && reader->moments[i].high == high)
			return;
	reader->moments[reader->nmoments++] = (GsMoments)
	{
		low, high
	};
}

/*
 * The moment of a leader that a follower's scalar is written from.
 */
static GsMoment
moment_of(const GsNotation *notation, int64 scalar)
{
	return gs_clock_read(notation->clock,
						 gs_notation_moment(notation->format, scalar));
}

/*
 * gs_follow_range: takes a range of a column that follows from another one to that one.
 * Returns false if it has no such values.
 */
bool
gs_follow_range(Reader *reader, GsScalarRange range)
{
	const GsCodec *own = &reader->column->codec;
	const GsPartKind *kind = &own->part[0];
	Reader	   *leader = reader->leader;
	const GsCodec *from = &leader->column->codec;
	int			before = leader->npieces;
	GsScalarRange whole = {{.i = Max(range.low.i, kind->min)},
	{.i = Min(range.high.i, kind->max)}};

	if (whole.low.i > whole.high.i)
		return false;
	whole.low.i = gs_codec_moment_scalar(from, moment_of(own->notation,
														 whole.low.i));
	whole.high.i = gs_codec_moment_scalar(from,
										  moment_of(own->notation,
													whole.high.i + 1)) - 1;
	for (int i = 0; i < reader->feature->nlevels; i++)
		if (gs_is_value(reader, i) &&
			!gs_scalar_is_special(kind, GS_LANE_INT,
								  reader->feature->level[i]))
			reader->allowed[i] = true;
	leader->value = true;
	if (leader->column->layout != NULL)
	{
		gs_add_moments(leader, whole.low.i, whole.high.i);
		return true;
	}
	if (leader->feature->kind == GS_FEATURE_CATEGORY)
		return gs_allow_scalars(leader, whole);
	gs_add_pieces(leader, whole, false);
	return leader->npieces > before;
}

/*
 * gs_bound_levels: takes from the allowed levels those beyond a bound.
 */
void
gs_bound_levels(Reader *reader, GsBound bound, Datum value)
{
	prepare_levels(reader);
	for (int i = 0; i < reader->feature->nlevels; i++)
	{
		int			order;

		if (!gs_is_value(reader, i))
			continue;
		order = DatumGetInt32(FunctionCall2(&reader->type->cmp_proc_finfo,
											reader->level[i], value));
		if (bound == GS_BOUND_GTE ? order < 0 : bound == GS_BOUND_GT ?
			order <= 0 : bound == GS_BOUND_LTE ? order > 0 : order >= 0)
			reader->allowed[i] = false;
	}
}
