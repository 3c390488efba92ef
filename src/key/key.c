/*
 * key.c
 *	  Keys at rest, and how many rows they are enough for.
 *
 *	 keys	int8 [K, 16]	see KeyField
 *	 key/C	bytes			the texts of column C's key, if it has any
 *	 entity/column	int4 [C]	1 where it follows from what rows are about, 2
 *								where it is the key of that; left out: none is
 *	 entity/rows	int4 [64]	see GsKey.repeats
 *
 * What is loaded is hostile until it has been checked.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "column/members.h"
#include "column/tensor.h"
#include "codec/codec_internal.h"
#include "codec/domain.h"
#include "key/key.h"

/* Keys set aside for each row where a domain may refuse some of them. */
#define DOMAIN_ATTEMPTS 16

typedef enum KeyField
{
	FIELD_COLUMN,
	FIELD_KIND,
	FIELD_SPACE,
	FIELD_MIN,
	FIELD_STEP,
	FIELD_ROWS,
	FIELD_SCALE,
	FIELD_MIN_SCALE,
	FIELD_UNIT,					/* decimals, or UNIT_EXPONENT + exponent */
	FIELD_WIDTH,
	FIELD_UPPER,
	FIELD_ATTEMPTS,
	FIELD_CHECK,
	FIELD_SPARE,				/* 1: GsColumn.spare */
	FIELD_ORDER,				/* 1 + order */
	FIELD_DOWN,
	FIELD_EXACT,
	FIELD_PLACE,				/* from here on not in models of version 0.1 */
	FIELD_RUNS,
	FIELD_SCATTERED,
	FIELDS
} KeyField;

#define ENTITY_KEY		2		/* of a column: the key; 1: it follows from it */
#define UNIT_EXPONENT	5000	/* + exponent, which is between -1100 and 1100 */

static const char *const names[GS_KEY_COUNT] = {
	"sequence", "range", "uuid", "pattern", "text", "bits", "list",
	"copy", "grouped"
};

/*
 * gs_key_name: how synth_columns calls the kind.
 */
const char *
gs_key_name(GsKeyKind kind)
{
	return names[kind];
}

/*
 * gs_key_room: how many rows, from the key's first, have keys of their own.
 */
uint64
gs_key_room(const GsKey *key)
{
	if (key->kind == GS_KEY_RANGE && key->order != 0)
		return gs_key_ordinals(key);
	if (key->kind == GS_KEY_GROUPED)
		return (PG_INT64_MAX - Max(key->min, 0)) / key->step / 4;
	return key->space / key->attempts;
}

/*
 * gs_key_check: an error if a column's keys are not enough for the rows first
 * to first + n - 1, counted from 0.
 *
 * Errors: sequence_generator_limit_exceeded.
 */
void
gs_key_check(const GsColumn *column, int64 first, int64 n)
{
	const GsKey *key = column->key;
	uint64		last = (uint64) first + (uint64) n;

	if (n <= 0 || key->repeats != NULL || (first >= key->first &&
				   last - (uint64) key->first <= gs_key_room(key)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED),
			 errmsg("column \"%s\" has " UINT64_FORMAT " possible keys, too few for row number " UINT64_FORMAT,
					column->name, gs_key_room(key), last),
			 errhint("It is unique in the source. Ask for fewer rows, or leave the column out with the exclude argument of synth_fit.")));
}

/*
 * gs_keys_check: the same for all columns that are keys.
 */
void
gs_keys_check(const GsSchema *schema, int64 first, int64 n)
{
	for (int c = 0; c < schema->ncolumns; c++)
		if (schema->columns[c].key != NULL)
			gs_key_check(&schema->columns[c], first, n);
}

/*
 * gs_key_number: the number in a text of a SEQUENCE or GROUPED; false where it
 * is not written so.
 */
bool
gs_key_number(const GsKey *key, const char *text, int len, int64 *number)
{
	int			before = strlen(key->text);
	const char *tail = key->text + before + 1;
	int			after = strlen(tail);

	if (key->place > 0)
		return gs_key_text_number(key, text, len, number);
	if (len <= before + after || len - before - after > 18 ||
		memcmp(text, key->text, before) != 0 ||
		memcmp(text + len - after, tail, after) != 0)
		return false;
	*number = 0;
	for (int i = before; i < len - after; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + (text[i] - '0');
	}
	return true;
}

/*
 * The number that a value of the column is, in the key's unit.
 */
static bool
number_of(const GsColumn *column, Datum value, int64 *number)
{
	const GsKey *key = column->key;
	GsCodec		codec = column->codec;	/* its fmgr state is ours */
	GsPart		part;
	Datum		scaled;
	Datum		unit;

	switch (codec.part[0].lane)
	{
		case GS_LANE_TEXT:
			gs_codec_split(&codec, value, &part);
			return gs_key_number(key, part.text, part.len, number);
		case GS_LANE_NUMERIC:
			unit = NumericGetDatum(int64_div_fast_to_numeric(1, key->scale));
			scaled = DirectFunctionCall1(numeric_floor,
										 DirectFunctionCall2(numeric_div,
															 value, unit));
			gs_part_from_numeric(scaled, &part);
			return part.len <= 18 && sscanf(part.text, INT64_FORMAT,
											number) == 1;
		case GS_LANE_FLOAT:
			return false;
		default:
			gs_codec_split(&codec, value, &part);
			*number = part.scalar.i;
			return !gs_scalar_is_special(&codec.part[0], GS_LANE_INT,
										 part.scalar);
	}
}

/*
 * Leaves the first numbers of a sequence out.
 */
static void
pass_over(GsKey *key, uint64 steps)
{
	if (steps >= key->space)
	{
		key->space = 0;
		return;
	}
	key->min = (int64) ((uint64) key->min + steps * (uint64) key->step);
	key->space -= steps;
}

/*
 * gs_key_continue: lets a sequence go on behind the last value that a target
 * has, if that is greater than what it would begin with.
 *
 * column: of a model that was loaded, before a stream of it is opened; last:
 * a value of the column's base type; first: the row, counted from 0, that
 * gets the first key behind it.  Returns false where the key is no sequence,
 * or last is no value of it: nothing changes then.  A sequence that has no
 * numbers left is found by gs_keys_check.
 */
bool
gs_key_continue(const GsColumn *column, Datum last, int64 first)
{
	GsKey	   *key = column->key;
	int64		number;
	uint64		steps;

	if (key == NULL || !gs_key_counts(key) ||
		!number_of(column, last, &number))
		return false;
	key->first = first;
	if (number < key->min)
		return true;
	steps = ((uint64) number - (uint64) key->min) / (uint64) key->step + 1;
	pass_over(key, steps);
	return true;
}

/*
 * gs_key_begin: lets a sequence begin with a number that it has begun with
 * before: see gs_key_continue.  False if it never can have.
 */
bool
gs_key_begin(GsKey *key, int64 min, int64 first)
{
	uint64		distance = (uint64) min - (uint64) key->min;

	if (first < 0 || min < key->min ||
		distance % (uint64) key->step != 0 ||
		distance / (uint64) key->step >= key->space)
		return false;
	key->first = first;
	pass_over(key, distance / (uint64) key->step);
	return true;
}

/*
 * The keys that are set aside for each row, so that the CHECK of a domain,
 * which may refuse some, can be asked when the row is made.
 */
static int
attempts(const GsColumn *column, const GsKey *key)
{
	return gs_domain_has_checks(column->declared) &&
		key->kind != GS_KEY_SEQUENCE && key->kind != GS_KEY_TEXT &&
		key->kind != GS_KEY_COPY && key->kind != GS_KEY_GROUPED &&
		key->space >= DOMAIN_ATTEMPTS ?
		DOMAIN_ATTEMPTS : 1;
}

/*
 * What rows are about: how many rows each has, and what follows from it.
 */
static void
save_entity(const GsSchema *schema, int key, List **tensors)
{
	int32	   *told = palloc0(sizeof(int32) * schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
		told[c] = c == key ? ENTITY_KEY : schema->columns[c].of_entity;
	gs_tensor_add(tensors, "entity/column", GS_I4, 1, schema->ncolumns, 0, told);
	gs_tensor_add(tensors, "entity/rows", GS_I4, 1, GS_KEY_REPEATS, 0,
				  schema->columns[key].key->repeats);
}

static void
load_entity(GsSchema *schema, const List *tensors)
{
	const int32 *told;
	const int32 *rows;

	if (gs_tensor_find(tensors, "entity/column") == NULL)
		return;
	told = gs_tensor_data(tensors, "entity/column", GS_I4, schema->ncolumns);
	rows = gs_tensor_data(tensors, "entity/rows", GS_I4, GS_KEY_REPEATS);
	for (int k = 0; k < GS_KEY_REPEATS; k++)
		if (rows[k] < 1 || rows[k] > GS_BATCH)
			gs_corrupted("An entity has an impossible number of rows.");
	for (int c = 0; c < schema->ncolumns; c++)
	{
		GsColumn   *column = &schema->columns[c];

		column->of_entity = told[c] == 1;
		if (told[c] != ENTITY_KEY)
			continue;
		if (column->key == NULL || column->key->rows < 1 ||
			column->key->rows > PG_INT64_MAX / 2 || column->key->order != 0 ||
			gs_schema_entity(schema) != NULL)
			gs_corrupted("Column \"%s\" is no key of entities.", column->name);
		column->key->repeats = palloc(sizeof(int32) * GS_KEY_REPEATS);
		memcpy(column->key->repeats, rows, sizeof(int32) * GS_KEY_REPEATS);
	}
}

/*
 * gs_keys_save: appends the tensors of a schema's keys, if it has any.
 */
void
gs_keys_save(const GsSchema *schema, List **tensors)
{
	int64	   *fields = palloc(sizeof(int64) * FIELDS *
								Max(schema->ncolumns, 1));
	char		name[32];
	int			n = 0;

	for (int c = 0; c < schema->ncolumns; c++)
	{
		bool		spare = schema->columns[c].key == NULL;
		const GsKey *key = spare ? schema->columns[c].spare :
			schema->columns[c].key;
		int64	   *field = fields + n * FIELDS;

		if (key == NULL)
			continue;
		n++;
		field[FIELD_COLUMN] = c;
		field[FIELD_KIND] = key->kind;
		field[FIELD_SPACE] = (int64) key->space;
		field[FIELD_MIN] = key->min;
		field[FIELD_STEP] = key->step;
		field[FIELD_SCALE] = key->scale;
		field[FIELD_MIN_SCALE] = key->min_scale;
		field[FIELD_UNIT] = key->decimals >= 0 ? key->decimals :
			UNIT_EXPONENT + key->exponent;
		field[FIELD_WIDTH] = key->width;
		field[FIELD_UPPER] = key->upper;
		field[FIELD_CHECK] = key->check;
		field[FIELD_ATTEMPTS] = attempts(&schema->columns[c], key);
		field[FIELD_SPARE] = spare;
		field[FIELD_ROWS] = key->rows;
		field[FIELD_ORDER] = key->order + 1;
		field[FIELD_DOWN] = key->down;
		field[FIELD_EXACT] = key->exact;
		field[FIELD_PLACE] = key->place;
		field[FIELD_RUNS] = key->runs;
		field[FIELD_SCATTERED] = key->scattered;
		if (key->repeats != NULL)
			save_entity(schema, c, tensors);
		if (key->text == NULL)
			continue;
		snprintf(name, sizeof(name), "key/%d", c + 1);
		gs_tensor_add(tensors, name, GS_U1, 1, key->text_bytes, 0, key->text);
	}
	if (n > 0)
		gs_tensor_add(tensors, "keys", GS_I8, 2, n, FIELDS, fields);
	pfree(fields);
}

/*
 * Whether the texts of a key are so many NUL-ended ones, and valid.
 */
static bool
texts_fit(const GsKey *key, uint64 n)
{
	int			at = 0;

	if (key->text == NULL)
		return n == 0;
	for (uint64 i = 0; i < n; i++)
	{
		int			left = key->text_bytes - at;
		int			len = strnlen(key->text + at, left);

		if (len >= left || !pg_verifymbstr(key->text + at, len, true))
			return false;
		at += len + 1;
	}
	return at == key->text_bytes;
}

/*
 * Whether all numbers of a SEQUENCE or RANGE are values of the column.
 */
static bool
numbers_fit(const GsColumn *column, const GsKey *key)
{
	GsContent	content = column->codec.kind->content;
	GsLaneType	lane = column->codec.part[0].lane;
	int64		min;
	int64		max;
	uint64		room;

	if (content == GS_CONTENT_TEXT ?
		!texts_fit(key, key->place == 0 ? 2 : gs_key_slots(key) + 2) ||
		key->place > gs_key_slots(key) + 1 ||
		gs_key_slots(key) > GS_MAX_SLOT_MEMBERS ||
		key->text_bytes > GS_KEY_MAX_PATTERN + 2 + GS_MAX_SLOT_MEMBERS ||
		key->width < 1 :
		lane == GS_LANE_TEXT)
		return false;
	if (key->step < 1 || key->space < 1 || key->min_scale < 0 ||
		key->min_scale > key->scale || key->scale > 18 ||
		(lane != GS_LANE_NUMERIC && key->scale > 0))
		return false;
	gs_key_limits(column, key, &min, &max);
	if (key->min < min || key->min > max)
		return false;
	room = ((uint64) max - (uint64) key->min) / (uint64) key->step;
	if (key->space - 1 > room)
		return false;
	if (lane != GS_LANE_FLOAT)
		return true;
	return key->decimals >= 0 ? key->decimals <= 9 :
		isfinite(column->codec.kind->narrow ?
				 (float) ldexp(max, key->exponent) :
				 ldexp(max, key->exponent));
}

/*
 * Whether a key is one that gs_key_learn can make of the column.  What its
 * text says about its space counts.
 */
static bool
key_fits(const GsColumn *column, GsKey *key)
{
	GsContent	content = column->codec.kind->content;
	int			unit = column->codec.kind->bits;
	int			chars = gs_codec_max_chars(&column->codec);
	uint64		space = 1;
	int			bits;

	if ((column->codec.nparts != 1 && key->kind != GS_KEY_COPY) ||
		key->width < 0 || key->width > GS_MAX_LENGTH)
		return false;
	switch (key->kind)
	{
		case GS_KEY_SEQUENCE:
		case GS_KEY_RANGE:
			return numbers_fit(column, key);
		case GS_KEY_GROUPED:
			return key->place > 0 && content == GS_CONTENT_TEXT &&
				numbers_fit(column, key);
		case GS_KEY_UUID:
			key->space = PG_UINT64_MAX;
			return content == GS_CONTENT_UUID;
		case GS_KEY_PATTERN:
			return content == GS_CONTENT_TEXT && key->check < GS_CHECK_COUNT &&
				gs_key_pattern_space(key->text, key->text_bytes, &key->space);
		case GS_KEY_TEXT:
			for (int i = 0; i < Min(key->width, GS_KEY_MAX_DIGITS); i++)
				space *= gs_key_base(column);
			key->space = space;
			return content == GS_CONTENT_TEXT && key->width >= 1 &&
				key->width <= GS_KEY_MAX_DIGITS &&
				(chars == 0 || key->width <= chars);
		case GS_KEY_BITS:
			bits = key->width * unit;
			key->space = bits >= 64 ? PG_UINT64_MAX : UINT64CONST(1) << bits;
			return key->width >= 1 &&
				(unit == 8 ||
				 (unit == 1 &&
				  (column->codec.typmod <= 0 ||
				   (column->codec.type == BITOID ?
					key->width == column->codec.typmod :
					key->width <= column->codec.typmod))));
		case GS_KEY_LIST:
			return content == GS_CONTENT_LABEL && key->space >= 1 &&
				key->space <= GS_MAX_LEVELS && texts_fit(key, key->space);
		case GS_KEY_COPY:
			return texts_fit(key, key->width) && gs_copy_fits(key);
		default:
			return false;
	}
}

/*
 * What a key says of its order; whether the feature is there is for
 * gs_keys_check_orders to find out.
 */
static void
load_order(const GsColumn *column, GsKey *key, const int64 *field)
{
	key->rows = field[FIELD_ROWS];
	key->order = (int) field[FIELD_ORDER] - 1;
	key->down = field[FIELD_DOWN] != 0;
	key->exact = field[FIELD_EXACT] != 0;
	if (key->order == 0)
		return;
	if ((key->kind != GS_KEY_SEQUENCE && key->kind != GS_KEY_RANGE &&
		 key->kind != GS_KEY_GROUPED) ||
		field[FIELD_SPARE] != 0 || key->attempts != 1 || key->rows < 1 ||
		key->rows > PG_INT64_MAX / 2 ||
		(key->exact && key->order == GS_KEY_BY_ROWS) ||
		(key->kind == GS_KEY_RANGE && gs_key_width(key) == 0))
		gs_corrupted("The key of column \"%s\" has an impossible order.",
					 column->name);
}

/*
 * gs_keys_check_orders: whether the features that keys are ordered by, and the
 * members that their texts have, are there.  Errors: data_corrupted.
 */
void
gs_keys_check_orders(const GsSchema *schema)
{
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const GsKey *key = column->key;

		for (int m = 0; key != NULL && m < column->nmembers; m++)
			if (schema->features[schema->columns[column->member + m].feature[0]].kind != GS_FEATURE_CATEGORY)
				gs_corrupted("A member of column \"%s\" is no category.",
							 column->name);
		if (key != NULL && key->place > 0 &&
			column->nmembers != gs_key_slots(key))
			gs_corrupted("The key of column \"%s\" has no members.",
						 column->name);
		if (key != NULL && key->order > 0 &&
			(key->order > schema->nfeatures ||
			 schema->features[key->order - 1].kind != GS_FEATURE_NUMBER))
			gs_corrupted("The key of column \"%s\" is ordered by no number.",
						 schema->columns[c].name);
	}
}

static void
load_key(GsSchema *schema, const int64 *field, const List *tensors)
{
	GsKey	   *key = palloc0(sizeof(GsKey));
	const GsTensor *text;
	GsColumn   *column;
	char		name[32];

	if (field[FIELD_COLUMN] < 0 || field[FIELD_COLUMN] >= schema->ncolumns)
		gs_corrupted("A key is of no column.");
	column = &schema->columns[field[FIELD_COLUMN]];
	if (column->key != NULL || column->spare != NULL)
		gs_corrupted("The key of column \"%s\" is there twice.",
					 column->name);
	for (int i = FIELD_SCALE; i < FIELDS; i++)
		if (field[i] < 0 || field[i] > GS_MAX_LENGTH)
			gs_corrupted("The key of column \"%s\" has an impossible format.",
						 column->name);
	key->kind = field[FIELD_KIND] >= 0 && field[FIELD_KIND] < GS_KEY_COUNT ?
		(GsKeyKind) field[FIELD_KIND] : GS_KEY_COUNT;
	key->space = (uint64) field[FIELD_SPACE];
	key->min = field[FIELD_MIN];
	key->step = field[FIELD_STEP];
	key->scale = (int) field[FIELD_SCALE];
	key->min_scale = (int) field[FIELD_MIN_SCALE];
	key->decimals = (int) field[FIELD_UNIT];
	if (key->decimals > UNIT_EXPONENT / 2)
	{
		key->exponent = key->decimals - UNIT_EXPONENT;
		key->decimals = -1;
	}
	key->width = (int) field[FIELD_WIDTH];
	key->upper = field[FIELD_UPPER] != 0;
	key->place = (int) field[FIELD_PLACE];
	key->runs = (int) field[FIELD_RUNS];
	key->scattered = field[FIELD_SCATTERED] != 0;
	key->check = (GsCheckDigit) field[FIELD_CHECK];
	snprintf(name, sizeof(name), "key/%d", (int) field[FIELD_COLUMN] + 1);
	text = gs_tensor_find(tensors, name);
	if (text != NULL)
	{
		text = gs_tensor_get(tensors, name, GS_U1, 1);
		key->text_bytes = text->dims[0];
		key->text = palloc(key->text_bytes + 1);
		memcpy(key->text, text->data, key->text_bytes);
	}
	if (!key_fits(column, key) ||
		(key->place > 0 && field[FIELD_SPARE] != 0))
		gs_corrupted("The key of column \"%s\" is invalid.",
					 column->name);
	key->attempts = (int) field[FIELD_ATTEMPTS];
	if (key->attempts != 1 && (key->attempts != DOMAIN_ATTEMPTS ||
							   key->space < DOMAIN_ATTEMPTS))
		gs_corrupted("The key of column \"%s\" has an impossible number of attempts.",
					 column->name);
	load_order(column, key, field);
	if (field[FIELD_SPARE] == 0)
		column->key = key;
	else if (key->kind != GS_KEY_COPY)
		column->spare = key;
}

/*
 * gs_keys_load: reads the keys of a schema whose columns are known.
 *
 * Errors: data_corrupted where a tensor is not what gs_keys_save wrote.
 */
void
gs_keys_load(GsSchema *schema, const List *tensors)
{
	const GsTensor *fields;

	for (int c = 0; c < schema->ncolumns; c++)
		schema->columns[c].key = schema->columns[c].spare = NULL;
	if (gs_tensor_find(tensors, "keys") == NULL)
		return;
	fields = gs_tensor_get(tensors, "keys", GS_I8, 2);
	if (fields->dims[1] != FIELDS && fields->dims[1] != FIELD_PLACE)
		gs_corrupted("Tensor \"keys\" has the wrong shape.");
	for (int k = 0; k < fields->dims[0]; k++)
	{
		int64		field[FIELDS] = {0};

		memcpy(field, (const int64 *) fields->data + k * fields->dims[1],
			   sizeof(int64) * fields->dims[1]);
		load_key(schema, field, tensors);
	}
	load_entity(schema, tensors);
}
