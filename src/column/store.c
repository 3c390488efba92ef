/*
 * store.c
 *	  Features at rest: all features of a model in a few flat tensors.
 *
 *	 features	int4 [F, 10]	see FeatureField
 *	 step		int8 [F]
 *	 share		float8 [L]		of the levels of all categories in turn
 *	 level		int8 [L]		scalars; of a float its bits
 *	 text_end	int8 [L]		where each level's text ends in "text"
 *	 text		bytes
 *	 edge		float8 [S + N]	of the segments of all N numbers in turn
 *	 low, high	int8 [S]
 *	 shape, ...	see format_store.c: what columns generate anew
 *	 document, ...	see members.c: what is in columns of JSON documents
 *	 length/C	int4 [33]
 *	 keys, key/C	see key.c
 *	 layout		see layout.c
 *	 kind/C		bytes		name of the kind of personal values, and the
 *							locale that they are made in
 *	 column/...		see notation_store.c
 *
 * What is loaded is hostile until it has been checked.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "learn/center.h"
#include "learn/equal.h"
#include "learn/endings.h"
#include "learn/notation_learn.h"
#include "key/key.h"
#include "learn/quantile.h"
#include "column/members.h"
#include "column/store.h"
#include "codec/composite.h"

typedef enum FeatureField
{
	FIELD_COLUMN,
	FIELD_PART,
	FIELD_KIND,
	FIELD_LANE,
	FIELD_COUNT,				/* levels or segments */
	FIELD_NULL_LEVEL,
	FIELD_OTHER_LEVEL,
	FIELD_DECIMALS,
	FIELD_SCALE,
	FIELD_MIN_SCALE,
	FIELDS
} FeatureField;

static void
save_kinds(const GsSchema *schema, List **tensors)
{
	char		name[32];

	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];
		const char *text;

		if (column->kind == NULL)
			continue;
		text = psprintf("%s %s", column->kind->name, column->locale < 0 ? "" :
						gs_locale_names[column->locale]);
		snprintf(name, sizeof(name), "kind/%d", c + 1);
		gs_tensor_add(tensors, name, GS_U1, 1, strlen(text), 0, text);
	}
}

/*
 * gs_schema_save: appends the tensors of a schema's features.
 */
void
gs_schema_save(const GsSchema *schema, List **tensors)
{
	int			nfeatures = schema->nfeatures;
	int32	   *fields = palloc0(sizeof(int32) * FIELDS * (nfeatures + 1));
	int64	   *step = palloc0(sizeof(int64) * (nfeatures + 1));
	StringInfoData share,
				level,
				text_end,
				text,
				edge,
				low,
				high;
	GsFormat  **formats = palloc(sizeof(GsFormat *) *
								 Max(schema->ncolumns, 1));
	char		name[32];

	initStringInfo(&share);
	initStringInfo(&level);
	initStringInfo(&text_end);
	initStringInfo(&text);
	initStringInfo(&edge);
	initStringInfo(&low);
	initStringInfo(&high);
	for (int f = 0; f < nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];
		const GsQuantile *q = &feature->quantile;
		bool		number = feature->kind == GS_FEATURE_NUMBER;
		int32	   *field = fields + f * FIELDS;

		field[FIELD_COLUMN] = feature->column;
		field[FIELD_PART] = feature->part;
		field[FIELD_KIND] = feature->kind;
		field[FIELD_LANE] = feature->lane;
		field[FIELD_COUNT] = number ? q->nsegments : feature->nlevels;
		field[FIELD_NULL_LEVEL] = feature->null_level;
		field[FIELD_OTHER_LEVEL] = feature->other_level;
		field[FIELD_DECIMALS] = feature->decimals;
		field[FIELD_SCALE] = feature->scale;
		field[FIELD_MIN_SCALE] = feature->min_scale;
		step[f] = feature->step;
		if (number)
		{
			appendBinaryStringInfo(&edge, (char *) q->edge,
								   sizeof(double) * (q->nsegments + 1));
			appendBinaryStringInfo(&low, (char *) q->low,
								   sizeof(GsScalar) * q->nsegments);
			appendBinaryStringInfo(&high, (char *) q->high,
								   sizeof(GsScalar) * q->nsegments);
			continue;
		}
		appendBinaryStringInfo(&share, (char *) feature->share,
							   sizeof(double) * feature->nlevels);
		for (int i = 0; i < feature->nlevels; i++)
		{
			int64		end;
			GsScalar	scalar = feature->level[i];

			/* a text's hash was salted for the fit, and is of no use here */
			if (feature->lane == GS_LANE_TEXT)
				scalar.i = 0;
			appendBinaryStringInfo(&level, (char *) &scalar, sizeof(GsScalar));
			if (feature->text[i] != NULL)
				appendStringInfoString(&text, feature->text[i]);
			end = text.len;
			appendBinaryStringInfo(&text_end, (char *) &end, sizeof(int64));
		}
	}
	gs_tensor_add(tensors, "features", GS_I4, 2, nfeatures, FIELDS, fields);
	gs_tensor_add(tensors, "step", GS_I8, 1, nfeatures, 0, step);
	gs_tensor_add(tensors, "share", GS_F8, 1, share.len / 8, 0, share.data);
	gs_tensor_add(tensors, "level", GS_I8, 1, level.len / 8, 0, level.data);
	gs_tensor_add(tensors, "text_end", GS_I8, 1, text_end.len / 8, 0,
				  text_end.data);
	gs_tensor_add(tensors, "text", GS_U1, 1, text.len, 0, text.data);
	gs_tensor_add(tensors, "edge", GS_F8, 1, edge.len / 8, 0, edge.data);
	gs_tensor_add(tensors, "low", GS_I8, 1, low.len / 8, 0, low.data);
	gs_tensor_add(tensors, "high", GS_I8, 1, high.len / 8, 0, high.data);
	save_kinds(schema, tensors);
	gs_layouts_save(schema, tensors);
	gs_notations_save(schema, tensors);
	gs_endings_save(schema, tensors);
	gs_centers_save(schema, tensors);
	gs_equals_save(schema, tensors);
	gs_keys_save(schema, tensors);
	for (int c = 0; c < schema->ncolumns; c++)
	{
		const GsColumn *column = &schema->columns[c];

		formats[c] = column->format;
		if (column->lengths != NULL)
		{
			snprintf(name, sizeof(name), "length/%d", c + 1);
			gs_tensor_add(tensors, name, GS_I4, 1, GS_LENGTHS, 0,
						  column->lengths);
		}
	}
	gs_formats_save(formats, schema->ncolumns, tensors);
	gs_documents_save(schema, tensors);
}

/*
 * Whether a scalar can be a value of a part.
 */
static bool
scalar_fits(const GsPartKind *part, GsLaneType lane, GsScalar scalar)
{
	return lane != GS_LANE_INT || gs_scalar_is_special(part, lane, scalar) ||
		(scalar.i >= part->min && scalar.i <= part->max);
}

/*
 * Whether a packed text has parts that can be those of a value.
 */
static bool
composite_fits(const GsCodec *codec, const char *text)
{
	GsCodec		apart = *codec;
	GsPart		parts[GS_MAX_PARTS];

	if (!gs_composite_unpack(codec, text, parts))
		return false;
	gs_composite_unset(&apart);
	for (int p = 0; p < apart.nparts; p++)
		if (!parts[p].absent && !scalar_fits(&apart.part[p], parts[p].lane,
											 parts[p].scalar))
			return false;
	return true;
}

/* Where the loader is in the concatenated tensors. */
typedef struct Cursor
{
	int64		level;
	int64		nlevels;
	int64		segment;
	int64		nsegments;
	int64		edge;
	int64		nedges;
	int64		text;
	int64		text_bytes;
	const double *share;
	const GsScalar *level_scalar;
	const int64 *text_end;
	const char *text_data;
	const double *edges;
	const GsScalar *low;
	const GsScalar *high;
} Cursor;

static void
load_category(GsFeature *feature, int count, const GsColumn *column,
			  Cursor *at)
{
	double		sum = 0;

	if (count < 1 || count >= GS_MISSING || at->level + count > at->nlevels)
		gs_corrupted("A category of column \"%s\" has an impossible number of levels.",
					 column->name);
	feature->nlevels = count;
	feature->share = palloc(sizeof(double) * count);
	feature->level = palloc(sizeof(GsScalar) * count);
	feature->text = palloc0(sizeof(char *) * count);
	for (int i = 0; i < count; i++, at->level++)
	{
		int64		end = at->text_end[at->level];
		bool		value = i != feature->null_level &&
			i != feature->other_level;

		feature->share[i] = at->share[at->level];
		feature->level[i] = at->level_scalar[at->level];
		sum += feature->share[i];
		if (!(feature->share[i] >= 0))
			gs_corrupted("A level of column \"%s\" has an impossible share.",
						 column->name);
		if (end < at->text || end > at->text_bytes)
			gs_corrupted("A level's text of column \"%s\" lies outside of the texts.",
						 column->name);
		if (feature->lane == GS_LANE_TEXT && value)
		{
			feature->text[i] = pnstrdup(at->text_data + at->text,
										end - at->text);
			if (strlen(feature->text[i]) != end - at->text ||
				!pg_verifymbstr(feature->text[i], end - at->text, true))
				gs_corrupted("A level's text of column \"%s\" is not valid text.",
							 column->name);
			if (column->codec.whole &&
				!composite_fits(&column->codec, feature->text[i]))
				gs_corrupted("A level of column \"%s\" is not a value of its type.",
							 column->name);
			if (column->document &&
				!gs_format_is_layout(column->format, feature->text[i]))
				gs_corrupted("A level of column \"%s\" is not a layout of its documents.",
							 column->name);
		}
		else if (value && feature->part >= 0 &&
				 !scalar_fits(&column->codec.part[feature->part],
							  feature->lane,
							  feature->level[i]))
			gs_corrupted("A level of column \"%s\" is not a value of its type.",
						 column->name);
		at->text = end;
	}
	if (!(fabs(sum - 1) < 1e-6))
		gs_corrupted("The shares of column \"%s\" do not sum to one.",
					 column->name);
}

static void
load_number(GsFeature *feature, int count, const GsColumn *column, Cursor *at)
{
	const GsPartKind *part = &column->codec.part[feature->part];
	GsQuantile *q = &feature->quantile;
	/* of a text's numbers, which only order it, any will do */
	bool		any = part->lane == GS_LANE_TEXT && column->key != NULL;

	if (count < 1 || count > PG_UINT16_MAX ||
		at->segment + count > at->nsegments || at->edge + count + 1 > at->nedges)
		gs_corrupted("A number of column \"%s\" has an impossible number of segments.",
					 column->name);
	q->nsegments = count;
	q->edge = palloc(sizeof(double) * (count + 1));
	q->low = palloc(sizeof(GsScalar) * count);
	q->high = palloc(sizeof(GsScalar) * count);
	memcpy(q->edge, at->edges + at->edge, sizeof(double) * (count + 1));
	memcpy(q->low, at->low + at->segment, sizeof(GsScalar) * count);
	memcpy(q->high, at->high + at->segment, sizeof(GsScalar) * count);
	at->edge += count + 1;
	at->segment += count;
	for (int s = 0; s < count; s++)
	{
		if (!(q->edge[s] < q->edge[s + 1]) || !isfinite(q->edge[s]) ||
			!isfinite(q->edge[s + 1]))
			gs_corrupted("The quantile table of column \"%s\" is not increasing.",
						 column->name);
		if (gs_scalar_compare(q->low[s], q->high[s], feature->lane) > 0 ||
			(s > 0 && gs_scalar_compare(q->low[s - 1], q->low[s],
										feature->lane) > 0) ||
			(!any && (!scalar_fits(part, feature->lane, q->low[s]) ||
					  !scalar_fits(part, feature->lane, q->high[s]))))
			gs_corrupted("The quantile table of column \"%s\" has impossible values.",
						 column->name);
	}
}

/*
 * One feature's fixed fields.
 */
static void
load_fields(GsSchema *schema, int f, const int32 *field, int64 step)
{
	GsFeature  *feature = &schema->features[f];
	GsColumn   *column;
	GsLaneType	lane;
	bool		fits;

	feature->column = field[FIELD_COLUMN];
	feature->part = field[FIELD_PART];
	feature->kind = field[FIELD_KIND];
	feature->lane = field[FIELD_LANE];
	feature->null_level = field[FIELD_NULL_LEVEL];
	feature->other_level = field[FIELD_OTHER_LEVEL];
	feature->decimals = field[FIELD_DECIMALS];
	feature->scale = field[FIELD_SCALE];
	feature->min_scale = field[FIELD_MIN_SCALE];
	feature->step = step;
	if (feature->column < 0 || feature->column >= schema->nall)
		gs_corrupted("Feature %d is of no column.", f);
	column = &schema->columns[feature->column];
	if (feature->part == 0 && feature->lane == GS_LANE_TEXT &&
		column->codec.nparts > 1)
		gs_composite_set(&column->codec);
	if (feature->part < GS_PART_EQUAL ||
		feature->part >= column->codec.nparts)
		gs_corrupted("Feature %d is of no part of column \"%s\".", f,
					 column->name);
	if (feature->part >= 0 && column->key != NULL &&
		column->key->order != f + 1)
		gs_corrupted("Column \"%s\" is a key and is learned too.",
					 column->name);
	if (feature->part == -1 ? column->null_feature >= 0 :
		feature->part >= 0 && column->feature[feature->part] >= 0)
		gs_corrupted("A part of column \"%s\" is there twice.", column->name);
	lane = feature->part < 0 ? GS_LANE_INT : column->codec.part[feature->part].lane;
	fits = feature->lane == lane ||
		(column->key != NULL && feature->part == 0 &&
		 feature->lane == GS_LANE_INT) ||
		(lane == GS_LANE_NUMERIC && (feature->lane == GS_LANE_INT ||
									 feature->lane == GS_LANE_FLOAT ||
									 feature->lane == GS_LANE_TEXT));
	if (!fits || (feature->kind != GS_FEATURE_CATEGORY &&
				  (feature->kind != GS_FEATURE_NUMBER ||
				   feature->lane == GS_LANE_TEXT)))
		gs_corrupted("A part of column \"%s\" is of the wrong kind.",
					 column->name);
	if (feature->step < 1 || feature->decimals < -1 ||
		feature->decimals > 300 || feature->min_scale < 0 ||
		feature->min_scale > feature->scale || feature->scale > 16383 ||
		(feature->lane == GS_LANE_INT && feature->scale > 18))
		gs_corrupted("Column \"%s\" has an impossible scale.", column->name);
	if (feature->null_level < -1 || feature->null_level >= field[FIELD_COUNT] ||
		feature->other_level < -1 ||
		feature->other_level >= field[FIELD_COUNT] ||
		(feature->null_level >= 0 && feature->null_level == feature->other_level) ||
		(feature->other_level >= 0 && (feature->lane != GS_LANE_TEXT ||
									   column->codec.nparts > 1)))
		gs_corrupted("Column \"%s\" has an impossible level.", column->name);
	if (feature->part < 0)
	{
		if (feature->part == -1)
			column->null_feature = f;
		if (feature->part == GS_PART_EQUAL)
			column->equal_feature = f;
		if (feature->kind != GS_FEATURE_CATEGORY || field[FIELD_COUNT] != 2)
			gs_corrupted("The NULLs of column \"%s\" are of the wrong kind.",
						 column->name);
	}
	else
		column->feature[feature->part] = f;
}

/*
 * The kind of a column's values, if it is one of personal values.
 */
static void
load_kind(GsColumn *column, int c, const List *tensors)
{
	char		name[32];
	const GsTensor *tensor;
	char	   *kind;
	char	   *locale;

	snprintf(name, sizeof(name), "kind/%d", c + 1);
	column->locale = -1;
	if (gs_tensor_find(tensors, name) == NULL)
		return;
	tensor = gs_tensor_get(tensors, name, GS_U1, 1);
	kind = pnstrdup(tensor->data, tensor->dims[0]);
	locale = strchr(kind, ' ');
	if (locale != NULL)
		*locale++ = '\0';
	column->kind = gs_kind_by_name(kind);
	if (locale != NULL && *locale != '\0')
		column->locale = gs_locale_by_name(locale);
	if (column->kind == NULL || locale == NULL ||
		(*locale != '\0' && column->locale < 0))
		gs_corrupted("The kind of column \"%s\" does not exist.",
					 column->name);
}

/*
 * The lengths of what is drawn for a column, if it has such.
 */
static void
load_lengths(GsColumn *column, int c, const List *tensors)
{
	char		name[32];

	snprintf(name, sizeof(name), "length/%d", c + 1);
	if (gs_tensor_find(tensors, name) == NULL)
		return;
	column->lengths = palloc(sizeof(int32) * GS_LENGTHS);
	memcpy(column->lengths, gs_tensor_data(tensors, name, GS_I4, GS_LENGTHS),
		   sizeof(int32) * GS_LENGTHS);
	for (int i = 0; i < GS_LENGTHS; i++)
		if (column->lengths[i] < 0 || column->lengths[i] > GS_MAX_LENGTH)
			gs_corrupted("Column \"%s\" has an impossible length.",
						 column->name);
}

/*
 * Whether some of a column's values are drawn from a format.
 */
static bool
needs_format(const GsSchema *schema, const GsColumn *column)
{
	GsContent	content = column->codec.kind->content;

	if (column->key != NULL)
		return column->key->kind == GS_KEY_TEXT;
	if (column->owner > 0)
		return false;
	if (column->spare != NULL && column->spare->kind == GS_KEY_TEXT)
		return true;
	return schema->features[column->feature[0]].other_level >= 0 &&
		content != GS_CONTENT_UUID && content != GS_CONTENT_BITS;
}

/*
 * gs_schema_load: reads the features of a schema whose columns are known.
 *
 * Errors: data_corrupted where a tensor is not what gs_schema_save wrote.
 */
void
gs_schema_load(GsSchema *schema, const List *tensors)
{
	const GsTensor *fields = gs_tensor_get(tensors, "features", GS_I4, 2);
	const GsTensor *text = gs_tensor_get(tensors, "text", GS_U1, 1);
	Cursor		at = {0};
	GsFormat  **formats;
	const int64 *step;
	int			n = fields->dims[0];

	step = gs_tensor_data(tensors, "step", GS_I8, n);
	at.nlevels = gs_tensor_get(tensors, "share", GS_F8, 1)->dims[0];
	at.share = gs_tensor_data(tensors, "share", GS_F8, at.nlevels);
	at.level_scalar = gs_tensor_data(tensors, "level", GS_I8, at.nlevels);
	at.text_end = gs_tensor_data(tensors, "text_end", GS_I8, at.nlevels);
	at.text_data = text->data;
	at.text_bytes = text->dims[0];
	at.nedges = gs_tensor_get(tensors, "edge", GS_F8, 1)->dims[0];
	at.edges = gs_tensor_data(tensors, "edge", GS_F8, at.nedges);
	at.nsegments = gs_tensor_get(tensors, "low", GS_I8, 1)->dims[0];
	at.low = gs_tensor_data(tensors, "low", GS_I8, at.nsegments);
	at.high = gs_tensor_data(tensors, "high", GS_I8, at.nsegments);

	for (int c = 0; c < schema->ncolumns; c++)
	{
		schema->columns[c].null_feature = -1;
		schema->columns[c].equal_feature = -1;
		for (int p = 0; p < GS_MAX_PARTS; p++)
			schema->columns[c].feature[p] = -1;
		load_kind(&schema->columns[c], c, tensors);
	}
	gs_notations_load(schema, tensors);
	gs_keys_load(schema, tensors);
	formats = palloc(sizeof(GsFormat *) * Max(schema->ncolumns, 1));
	gs_formats_load(tensors, schema->ncolumns, formats);
	for (int c = 0; c < schema->ncolumns; c++)
		schema->columns[c].format = formats[c];
	gs_documents_load(schema, tensors);
	if (fields->dims[1] != FIELDS ||
		n > GS_MAX_FEATURES(schema->nall))
		gs_corrupted("Tensor \"features\" has the wrong shape.");
	schema->nfeatures = n;
	schema->features = palloc0(sizeof(GsFeature) * Max(n, 1));
	gs_layouts_load(schema, tensors);
	for (int f = 0; f < n; f++)
	{
		const int32 *field = (const int32 *) fields->data + f * FIELDS;
		GsFeature  *feature = &schema->features[f];

		CHECK_FOR_INTERRUPTS();
		load_fields(schema, f, field, step[f]);
		if (feature->kind == GS_FEATURE_NUMBER)
			load_number(feature, field[FIELD_COUNT],
						&schema->columns[feature->column], &at);
		else
			load_category(feature, field[FIELD_COUNT],
						  &schema->columns[feature->column], &at);
	}
	for (int c = 0; c < schema->nall; c++)
	{
		GsColumn   *column = &schema->columns[c];

		for (int p = 0; p < column->codec.nparts; p++)
			if (column->feature[p] < 0 && column->key == NULL)
				gs_corrupted("A part of column \"%s\" is missing.",
							 column->name);
		if (column->format == NULL && needs_format(schema, column))
			gs_corrupted("Column \"%s\" has lost its generator.",
						 column->name);
		if (c < schema->ncolumns)
			load_lengths(column, c, tensors);
		column->nullable = column->null_feature >= 0 ||
			(column->key == NULL &&
			 schema->features[column->feature[0]].null_level >= 0);
	}
	gs_keys_check_orders(schema);
	gs_layouts_check(schema);
	gs_leaders_load(schema);
	gs_endings_load(schema, tensors);
	gs_centers_load(schema, tensors);
	gs_equals_load(schema, tensors);
}

/*
 * gs_schema_desc: the columns as a row type, in the current context.
 */
TupleDesc
gs_schema_desc(const GsSchema *schema)
{
	TupleDesc	desc = CreateTemplateTupleDesc(schema->ncolumns);

	for (int c = 0; c < schema->ncolumns; c++)
		TupleDescInitEntry(desc, c + 1, schema->columns[c].name,
						   schema->columns[c].type, schema->columns[c].typmod,
						   0);
	gs_desc_finish(desc);
	return desc;
}

/*
 * gs_schema_copy: a schema whose columns are one's own, in the current
 * context: their keys, and what functions of types keep from call to call.
 * Features and formats are shared; the original must outlive it.
 */
GsSchema *
gs_schema_copy(const GsSchema *schema)
{
	GsSchema   *copy = palloc(sizeof(GsSchema));
	Size		size = sizeof(GsColumn) * Max(schema->nall, 1);

	*copy = *schema;
	copy->columns = palloc(size);
	memcpy(copy->columns, schema->columns, sizeof(GsColumn) * schema->nall);
	for (int c = 0; c < copy->nall; c++)
	{
		GsColumn   *column = &copy->columns[c];

		gs_codec_copy(&column->codec, &schema->columns[c].codec);
		if (column->key == NULL)
			continue;
		column->key = palloc(sizeof(GsKey));
		*column->key = *schema->columns[c].key;
	}
	return copy;
}
