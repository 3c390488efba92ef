/*
 * composite.c
 *	  Columns of several parts whose values are few, as one category.
 *
 * A family pairs the parts of an interval, a point or a range as it learned
 * them to go together, and so may make a value of parts of two.  Where nearly
 * all rows hold one of a few values, such pairs would stand out; there the
 * value as a whole is a level.  Its text is its parts, parted by blanks: "-"
 * for one that is absent, an integer, a float's bits in hex, or a numeric.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "column/tensor.h"
#include "codec/codec_internal.h"
#include "learn/quantile.h"
#include "codec/composite.h"

/* At most so many values, which cover at least this share of the rows. */
#define COMPOSITE_LEVELS		1000
#define COMPOSITE_COVERAGE		0.99

static inline bool
is_absent(const GsLane *lane, int64 row)
{
	return lane->absent != NULL && lane->absent[row];
}

/*
 * Whether the rows differ in more than one part.  If not, parts can't be
 * paired wrongly, and a number keeps its order.
 */
static bool
parts_vary(GsLane *lanes, int nparts, int64 nrows)
{
	int64		first = 0;
	int			varying = 0;

	while (first < nrows && is_absent(&lanes[0], first))
		first++;
	for (int p = 0; p < nparts; p++)
	{
		GsLane	   *lane = &lanes[p];

		for (int64 row = first; row < nrows; row++)
			if (!is_absent(&lanes[0], row) &&
				(is_absent(lane, row) != is_absent(lane, first) ||
				 lane->scalar[row].i != lane->scalar[first].i))
			{
				varying++;
				break;
			}
	}
	return varying > 1;
}

static uint64
hash_row(const GsLane *lanes, int nparts, int64 row)
{
	uint64		hash = lanes[0].salt;

	for (int p = 0; p < nparts; p++)
		hash = gs_mix64(hash + is_absent(&lanes[p], row),
						lanes[p].scalar[row].hash);
	return hash;
}

/*
 * Moves the hashes that enough rows have to the front.  Returns how many
 * there are, 0 if they are too many or cover too little.
 */
static int
shown_hashes(GsScalar *sorted, int64 n, int threshold)
{
	int64		covered = 0;
	int64		next;
	int			nshown = 0;

	for (int64 i = 0; i < n; i = next)
	{
		for (next = i + 1; next < n; next++)
			if (sorted[next].hash != sorted[i].hash)
				break;
		if (next - i < threshold)
			continue;
		if (nshown == COMPOSITE_LEVELS)
			return 0;
		covered += next - i;
		sorted[nshown++] = sorted[i];
	}
	return covered < COMPOSITE_COVERAGE * n ? 0 : nshown;
}

/*
 * gs_composite_pack: the text of a value's parts, in the current context.
 */
char *
gs_composite_pack(const GsPart *parts, int nparts)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int p = 0; p < nparts; p++)
	{
		const GsPart *part = &parts[p];

		if (p > 0)
			appendStringInfoChar(&text, ' ');
		if (part->absent)
			appendStringInfoChar(&text, '-');
		else if (part->text != NULL)
			appendBinaryStringInfo(&text, part->text, part->len);
		else if (part->lane == GS_LANE_FLOAT)
			appendStringInfo(&text, GS_HEX16_UINT64, part->scalar.hash);
		else
			appendStringInfo(&text, INT64_FORMAT, part->scalar.i);
	}
	return text.data;
}

static char *
pack_row(GsLane *lanes, int nparts, int64 row)
{
	GsPart		parts[GS_MAX_PARTS];
	char		buffer[GS_MAX_PARTS][64];

	for (int p = 0; p < nparts; p++)
	{
		GsLane	   *lane = &lanes[p];
		GsPart		part = {.lane = lane->type,.scalar = lane->scalar[row],
		.absent = is_absent(lane, row)};

		if (part.absent)
			part.text = NULL;
		else if (lane->type == GS_LANE_TEXT)
			part.text = gs_numeric_padded(gs_lane_text(lane,
													   part.scalar.hash)->text,
										  lane->min_scale);
		else if (lane->is_numeric)
		{
			gs_lane_format(lane, part.scalar.i, buffer[p], sizeof(buffer[p]));
			part.text = buffer[p];
		}
		if (part.text != NULL)
			part.len = strlen(part.text);
		parts[p] = part;
	}
	return gs_composite_pack(parts, nparts);
}

static bool
contains(const GsScalar *sorted, int n, uint64 hash)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (sorted[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && sorted[low].hash == hash;
}

/*
 * Puts a lane of texts in the first lane's place.
 */
static void
replace_lanes(GsLane *lanes, int nparts, int64 nrows, GsScalar *scalar,
			  const GsScalar *shown, int nshown)
{
	GsLane		whole;

	gs_lane_init(&whole, GS_LANE_TEXT, lanes[0].salt, MaxAllocSize);
	for (int64 row = 0; row < nrows; row++)
	{
		char	   *text;

		if (is_absent(&lanes[0], row) ||
			gs_lane_text(&whole, scalar[row].hash) != NULL ||
			!contains(shown, nshown, scalar[row].hash))
			continue;
		text = pack_row(lanes, nparts, row);
		gs_lane_add_text(&whole, scalar[row].hash, text, strlen(text),
						 strlen(text), 1);
		pfree(text);
	}
	whole.scalar = scalar;
	whole.absent = lanes[0].absent;
	for (int p = 0; p < nparts; p++)
	{
		pfree(lanes[p].scalar);
		if (p > 0 && lanes[p].absent != NULL)
			pfree(lanes[p].absent);
		if (lanes[p].texts != NULL)
			MemoryContextDelete(lanes[p].texts_context);
	}
	lanes[0] = whole;
}

/*
 * gs_composite_learn: makes a column of several parts one of a single text
 * part, where its values are few.
 *
 * threshold: rows that must hold a value for it to be shown.  Returns whether
 * it did; then the column's codec and its first lane are new.
 */
bool
gs_composite_learn(GsColumn *column, GsLane *lanes, int64 nrows, int threshold)
{
	int			nparts = column->codec.nparts;
	GsScalar   *scalar;
	GsScalar   *sorted;
	int64		n = 0;
	int			nshown;

	/* wide numerics that are many are no longer exact */
	for (int p = 0; p < nparts; p++)
		if (lanes[p].is_numeric && lanes[p].type == GS_LANE_FLOAT)
			return false;
	if (!parts_vary(lanes, nparts, nrows))
		return false;
	CHECK_FOR_INTERRUPTS();
	scalar = palloc_extended(sizeof(GsScalar) * nrows, MCXT_ALLOC_HUGE);
	sorted = palloc_extended(sizeof(GsScalar) * nrows, MCXT_ALLOC_HUGE);
	for (int64 row = 0; row < nrows; row++)
	{
		scalar[row].hash = hash_row(lanes, nparts, row);
		if (!is_absent(&lanes[0], row))
			sorted[n++] = scalar[row];
	}
	gs_scalars_sort(sorted, n, GS_LANE_TEXT);
	nshown = shown_hashes(sorted, n, threshold);
	if (nshown > 0)
	{
		replace_lanes(lanes, nparts, nrows, scalar, sorted, nshown);
		gs_composite_set(&column->codec);
	}
	else
		pfree(scalar);
	pfree(sorted);
	return nshown > 0;
}

/*
 * gs_composite_set: turns a codec of several parts into one of a packed text.
 */
void
gs_composite_set(GsCodec *codec)
{
	codec->whole = true;
	codec->nparts = 1;
	codec->part[0] = (GsPartKind)
	{
		.lane = GS_LANE_TEXT
	};
}

/*
 * gs_composite_unset: turns it back into one of several parts.
 */
void
gs_composite_unset(GsCodec *codec)
{
	codec->whole = false;
	gs_codec_set_parts(codec);
}

static bool
unpack_part(GsLaneType lane, char *token, GsPart *part)
{
	char	   *end;

	part->lane = lane;
	part->absent = strcmp(token, "-") == 0;
	if (part->absent)
	{
		/* a numeric must be something: the integer 0 */
		part->lane = lane == GS_LANE_NUMERIC ? GS_LANE_INT : lane;
		return true;
	}
	if (lane == GS_LANE_NUMERIC)
	{
		part->lane = GS_LANE_TEXT;
		part->text = token;
		return true;
	}
	errno = 0;
	if (lane == GS_LANE_FLOAT)
		part->scalar.hash = strtoull(token, &end, 16);
	else
		part->scalar.i = strtoll(token, &end, 10);
	return errno == 0 && end > token && *end == '\0';
}

/*
 * gs_composite_unpack: the parts of a packed text.
 *
 * parts: [GS_MAX_PARTS], filled, as many as the type has.  Returns false if
 * the text is not one that was packed from such a type.
 */
bool
gs_composite_unpack(const GsCodec *codec, const char *text, GsPart *parts)
{
	GsCodec		apart = *codec;
	char	   *token = pstrdup(text);

	gs_composite_unset(&apart);
	memset(parts, 0, sizeof(GsPart) * GS_MAX_PARTS);
	for (int p = 0; p < apart.nparts; p++)
	{
		char	   *next = strchr(token, ' ');

		if ((next != NULL) != (p < apart.nparts - 1))
			return false;
		if (next != NULL)
			*next++ = '\0';
		if (!unpack_part(apart.part[p].lane, token, &parts[p]))
			return false;
		token = next;
	}
	return true;
}

/*
 * gs_composite_join: gs_codec_join of a packed text.
 */
Datum
gs_composite_join(GsCodec *codec, const char *text)
{
	GsCodec		apart = *codec;
	GsPart		parts[GS_MAX_PARTS];

	if (!gs_composite_unpack(codec, text, parts))
		gs_corrupted("A level of type %u is not a value of its type.",
					 codec->type);
	gs_composite_unset(&apart);
	return gs_codec_join(&apart, parts);
}
