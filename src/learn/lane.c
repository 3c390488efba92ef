/*
 * lane.c
 *	  Lanes: one part of a column, row by row, while the source is read.
 *
 * A lane has one 8-byte scalar a row of the sample, so that a fit's memory
 * follows from the number of rows and columns alone.  Texts are kept once
 * each, under a 64-bit hash, within a budget of bytes; when it is full the
 * rarest leave, so that frequent ones are still known at the end.
 *
 * A numeric is kept as an integer at the largest scale seen.  Where that does
 * not fit in 18 digits, its texts are kept, without zeros at their end, while
 * they are few (an amount of 30 digits that comes back exactly), else a double.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "compat.h"
#include "codec/codec_internal.h"
#include "learn/lane.h"

#define NUMERIC_DIGITS		18
#define SCALED_END			INT64CONST(1000000000000000000)
#define NUMERIC_MAX_TEXTS	1000
#define TEXT_KEPT_BYTES		8192	/* of a longer text only so much is kept */

static void
texts_create(GsLane *lane)
{
	HASHCTL		control = {0};

	lane->texts_context = AllocSetContextCreate(lane->context,
												"gensynth texts",
												ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(uint64);
	control.entrysize = sizeof(GsText);
	control.hcxt = lane->texts_context;
	lane->texts = hash_create("gensynth texts", 256, &control,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	lane->texts_bytes = 0;
}

/*
 * gs_lane_init: an empty lane, in the current memory context.
 *
 * salt: of the texts' hashes; texts_budget: bytes of texts kept.
 */
void
gs_lane_init(GsLane *lane, GsLaneType type, uint64 salt, Size texts_budget)
{
	memset(lane, 0, sizeof(GsLane));
	lane->type = type == GS_LANE_NUMERIC ? GS_LANE_INT : type;
	lane->is_numeric = type == GS_LANE_NUMERIC;
	lane->min_scale = -1;
	lane->salt = salt;
	lane->texts_budget = texts_budget;
	lane->context = CurrentMemoryContext;
	if (type == GS_LANE_TEXT)
		texts_create(lane);
}

/*
 * gs_lane_free: lets go of a lane's rows and texts.
 */
void
gs_lane_free(GsLane *lane)
{
	if (lane->scalar)
		pfree(lane->scalar);
	if (lane->absent)
		pfree(lane->absent);
	if (lane->texts_context && lane->texts)
		MemoryContextDelete(lane->texts_context);
}

/*
 * gs_lane_text: the text under a hash, or NULL if it was not kept.
 */
GsText *
gs_lane_text(GsLane *lane, uint64 hash)
{
	return hash_search(lane->texts, &hash, HASH_FIND, NULL);
}

/*
 * gs_lane_add_text: keeps a text under its hash, or counts it again.
 *
 * len: bytes to keep; full_len: of the value as it was.
 */
void
gs_lane_add_text(GsLane *lane, uint64 hash, const char *text, int len,
				 int full_len, int64 count)
{
	bool		found;
	GsText	   *entry = hash_search(lane->texts, &hash, HASH_ENTER, &found);

	if (found)
	{
		entry->count += count;
		return;
	}
	entry->count = count;
	entry->len = len;
	entry->full_len = full_len;
	entry->shown = false;
	entry->text = MemoryContextAlloc(lane->texts_context, len + 1);
	memcpy(entry->text, text, len);
	entry->text[len] = '\0';
	lane->texts_bytes += len + sizeof(GsText);
}

/*
 * Drops the rarest texts until half of the budget is free.  Some of them stay
 * to fill the other half: where all are rare, formats are learned from those.
 */
static void
texts_evict(GsLane *lane)
{
	HTAB	   *old = lane->texts;
	MemoryContext old_context = lane->texts_context;
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	int64		min = 1;
	Size		kept;
	Size		spare;

	lane->evicted = true;
	do
	{
		CHECK_FOR_INTERRUPTS();
		min *= 2;
		kept = 0;
		hash_seq_init(&scan, old);
		while ((entry = hash_seq_search(&scan)) != NULL)
			if (entry->count >= min)
				kept += entry->len + sizeof(GsText);
	} while (kept > lane->texts_budget / 2);

	texts_create(lane);
	spare = lane->texts_budget / 2 - kept;
	hash_seq_init(&scan, old);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		Size		bytes = entry->len + sizeof(GsText);

		if (entry->count < min)
		{
			if (bytes > spare)
				continue;
			spare -= bytes;
		}
		gs_lane_add_text(lane, entry->hash, entry->text, entry->len,
						 entry->full_len, entry->count);
	}
	MemoryContextDelete(old_context);
}

/*
 * A long text is kept in part, so that its format is still learned; one that
 * would be broken by it (JSON) as a whole while it leaves room for others.
 */
static uint64
put_text(GsLane *lane, const GsPart *part)
{
	uint64		hash = gs_format_hash(part->text, part->len, lane->salt);
	int			len = part->len;

	if (len > TEXT_KEPT_BYTES)
	{
		if (!part->unbreakable)
			len = pg_mbcliplen(part->text, len, TEXT_KEPT_BYTES);
		else if (len > lane->texts_budget / 16 &&
				 lane->texts_bytes + len > lane->texts_budget / 2)
			return hash;
	}
	gs_lane_add_text(lane, hash, part->text, len, part->len, 1);
	if (lane->texts_bytes > lane->texts_budget)
		texts_evict(lane);
	return hash;
}

static inline bool
is_sentinel(int64 value)
{
	return value == GS_NUMERIC_NAN || value == GS_NUMERIC_PLUS ||
		value == GS_NUMERIC_MINUS;
}

/*
 * Reads a numeric's text: -1234.50 is -123450 at scale 2, -1 that of special
 * values.  Returns false if it has too many digits.
 */
static bool
parse_scaled(const char *text, int64 *value, int *scale)
{
	int64		above;

	*scale = gs_numeric_scale(text);
	if (*scale > NUMERIC_DIGITS)
		return false;
	gs_numeric_scaled(text, Max(*scale, 0), value, &above);
	return *scale < 0 || (*value < SCALED_END && *value > -SCALED_END);
}

/*
 * Multiplies by 10^by; false on more than NUMERIC_DIGITS digits.
 */
static bool
rescale(int64 *value, int by)
{
	if (is_sentinel(*value))
		return true;
	for (; by > 0; by--)
		if (pg_mul_s64_overflow(*value, 10, value) ||
			*value >= SCALED_END || *value <= -SCALED_END)
			return false;
	return true;
}

/*
 * gs_lane_format: writes a scaled value as text, without zeros beyond the
 * least scale.  Returns its length.
 */
int
gs_lane_format(const GsLane *lane, int64 value, char *out, Size size)
{
	int			scale = lane->scale;
	uint64		rest = (uint64) (value < 0 ? -value : value);
	uint64		unit = 1;

	if (is_sentinel(value))
		return strlcpy(out, value == GS_NUMERIC_NAN ? "NaN" :
					   value == GS_NUMERIC_PLUS ? "Infinity" : "-Infinity", size);
	while (scale > lane->min_scale && rest % 10 == 0)
	{
		rest /= 10;
		scale--;
	}
	for (int i = 0; i < scale; i++)
		unit *= 10;
	if (scale == 0)
		return snprintf(out, size, "%s" UINT64_FORMAT, value < 0 ? "-" : "",
						rest);
	return snprintf(out, size, "%s" UINT64_FORMAT "." GS_PADDED_UINT64,
					value < 0 ? "-" : "", rest / unit, scale, rest % unit);
}

/*
 * A numeric's text as a double; one beyond a double's range stays finite.
 */
static double
text_to_double(const char *text)
{
	double		below;
	double		above;

	gs_numeric_doubles(text, &below, &above);
	return isinf(below) ? above : below;
}

/*
 * gs_lane_to_double: turns the texts of a numeric into doubles.
 */
void
gs_lane_to_double(GsLane *lane, int64 nrows)
{
	for (int64 i = 0; i < nrows; i++)
		if (lane->absent == NULL || !lane->absent[i])
		{
			GsText	   *entry = gs_lane_text(lane, lane->scalar[i].hash);

			lane->scalar[i].f = entry ? text_to_double(entry->text) : 0;
		}
	MemoryContextDelete(lane->texts_context);
	lane->texts = NULL;
	lane->type = GS_LANE_FLOAT;
	lane->state = GS_NUMERIC_DOUBLE;
}

/*
 * Goes on with texts: a value does not fit in a scaled integer.
 */
static void
numeric_to_texts(GsLane *lane, int64 nrows)
{
	char		buffer[64];
	bool		few = true;

	texts_create(lane);
	for (int64 i = 0; i < nrows && few; i++)
	{
		int			len;

		if (lane->absent != NULL && lane->absent[i])
			continue;
		len = gs_lane_format(lane, lane->scalar[i].i, buffer, sizeof(buffer));
		len = gs_numeric_length(buffer, len);
		gs_lane_add_text(lane, gs_format_hash(buffer, len, lane->salt), buffer,
						 len, len, 1);
		few = hash_get_num_entries(lane->texts) <= NUMERIC_MAX_TEXTS;
	}
	for (int64 i = 0; i < nrows; i++)
	{
		int			len;

		if (lane->absent != NULL && lane->absent[i])
			continue;
		len = gs_lane_format(lane, lane->scalar[i].i, buffer, sizeof(buffer));
		len = gs_numeric_length(buffer, len);
		if (few)
			lane->scalar[i].hash = gs_format_hash(buffer, len, lane->salt);
		else
			lane->scalar[i].f = text_to_double(buffer);
	}
	lane->type = GS_LANE_TEXT;
	lane->state = GS_NUMERIC_TEXTS;
	if (!few)
	{
		MemoryContextDelete(lane->texts_context);
		lane->texts = NULL;
		lane->type = GS_LANE_FLOAT;
		lane->state = GS_NUMERIC_DOUBLE;
	}
}

static bool
put_scaled(GsLane *lane, int64 nrows, const char *text, GsScalar *scalar)
{
	int64		value;
	int			scale;

	if (!parse_scaled(text, &value, &scale))
		return false;
	if (!is_sentinel(value))
	{
		if (lane->min_scale < 0 || scale < lane->min_scale)
			lane->min_scale = scale;
		if (scale > lane->scale)
		{
			/* first see that every value fits at the larger scale */
			for (int64 i = 0; i < nrows; i++)
			{
				int64		trial = lane->scalar[i].i;

				if ((lane->absent == NULL || !lane->absent[i]) &&
					!rescale(&trial, scale - lane->scale))
					return false;
			}
			for (int64 i = 0; i < nrows; i++)
				if (lane->absent == NULL || !lane->absent[i])
					(void) rescale(&lane->scalar[i].i, scale - lane->scale);
			lane->scale = scale;
		}
		if (!rescale(&value, lane->scale - scale))
			return false;
	}
	scalar->i = value;
	return true;
}

/*
 * Follows the display scale of a numeric that is no longer kept as integer.
 */
static void
note_scale(GsLane *lane, const char *text)
{
	int			scale = gs_numeric_scale(text);

	if (scale < 0)
		return;
	lane->scale = Max(lane->scale, scale);
	if (lane->min_scale < 0 || scale < lane->min_scale)
		lane->min_scale = scale;
}

/*
 * text: terminated.  nrows: scalars filled so far, the one being replaced among
 * them.
 */
static GsScalar
put_numeric(GsLane *lane, int64 nrows, const char *text, int len)
{
	GsScalar	scalar;

	if (lane->state == GS_NUMERIC_SCALED)
	{
		if (put_scaled(lane, nrows, text, &scalar))
			return scalar;
		numeric_to_texts(lane, nrows);
	}
	note_scale(lane, text);
	if (lane->state == GS_NUMERIC_TEXTS)
	{
		len = gs_numeric_length(text, len);
		scalar.hash = gs_format_hash(text, len, lane->salt);
		gs_lane_add_text(lane, scalar.hash, text, len, len, 1);
		if (hash_get_num_entries(lane->texts) <= NUMERIC_MAX_TEXTS)
			return scalar;
		gs_lane_to_double(lane, nrows);
	}
	scalar.f = text_to_double(text);
	return scalar;
}

static void
ensure_room(GsLane *lane, int64 row)
{
	int64		before = lane->allocated;

	if (row < before)
		return;
	lane->allocated = Max(1024, before * 2);
	if (lane->scalar == NULL)
		lane->scalar = MemoryContextAllocHuge(lane->context,
											  sizeof(GsScalar) *
											  lane->allocated);
	else
		lane->scalar = repalloc_huge(lane->scalar,
									 sizeof(GsScalar) * lane->allocated);
	if (lane->absent != NULL)
	{
		lane->absent = repalloc_huge(lane->absent, lane->allocated);
		memset(lane->absent + before, 0, lane->allocated - before);
	}
}

/*
 * gs_lane_put: writes one row's part.
 *
 * row: the sample's row, nrows or one that is replaced; nrows: rows so far;
 * part: NULL where the value is NULL.
 */
void
gs_lane_put(GsLane *lane, int64 row, int64 nrows, const GsPart *part)
{
	bool		absent = part == NULL || part->absent;
	GsScalar	scalar;

	ensure_room(lane, row);
	if (absent && lane->absent == NULL)
	{
		lane->absent = MemoryContextAllocExtended(lane->context,
												  lane->allocated,
												  MCXT_ALLOC_HUGE |
												  MCXT_ALLOC_ZERO);
	}
	if (absent)
		scalar.i = 0;
	else if (lane->is_numeric)
		scalar = put_numeric(lane, nrows, part->text, part->len);
	else if (lane->type == GS_LANE_TEXT)
		scalar.hash = put_text(lane, part);
	else
		scalar = part->scalar;
	lane->scalar[row] = scalar;
	if (lane->absent != NULL)
		lane->absent[row] = absent;
}
