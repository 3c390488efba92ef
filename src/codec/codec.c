/*
 * codec.c
 *	  From a type to its codec: a Datum to its parts, and back.
 *
 * Codecs are exact: what gs_codec_split takes apart, gs_codec_join puts
 * together again as an equal value.  Values that have no order to interpolate
 * in (a date's infinity, a float's NaN) are "special": they are only ever
 * emitted as they are.
 */
#include "postgres.h"

#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "codec/codec_internal.h"
#include "codec/composite.h"

static const GsCodecKind *const lists[] = {
	gs_number_kinds, gs_numeric_kinds, gs_parts_kinds, gs_range_kinds,
	gs_text_kinds
};

/*
 * The kind with a name; or the one that serves a base type, apart from those
 * found by their category.  NULL if there is none.
 */
static const GsCodecKind *
find_kind(const char *name, Oid type)
{
	for (int i = 0; i < lengthof(lists); i++)
		for (const GsCodecKind *kind = lists[i]; kind->name != NULL; kind++)
			if (name != NULL ? strcmp(kind->name, name) == 0 :
				kind->types[0] == type || kind->types[1] == type)
				return kind;
	return NULL;
}

/*
 * gs_codec_set_parts: sets the parts of a codec whose kind, and a range's
 * bound, are known.
 */
void
gs_codec_set_parts(GsCodec *codec)
{
	codec->nparts = codec->kind->nparts;
	memcpy(codec->part, codec->kind->part, sizeof(codec->part));
	if (codec->bound != NULL)
		gs_range_set_parts(codec);
}

/* A label of an enum. */
typedef struct Label
{
	float4		order;
	char	   *text;
} Label;

static int
compare_labels(const void *a, const void *b)
{
	float4		x = ((const Label *) a)->order;
	float4		y = ((const Label *) b)->order;

	return (x > y) - (x < y);
}

/*
 * The labels in the enum's order, which a label that is added at the end, and
 * dump and restore, leave as it is.
 */
static void
read_labels(GsCodec *codec)
{
	CatCList   *list = SearchSysCacheList1(ENUMTYPOIDNAME,
										   ObjectIdGetDatum(codec->type));
	int			n = list->n_members;
	Label	   *label = palloc(sizeof(Label) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT(&list->members[i]->tuple);

		label[i] = (Label) {form->enumsortorder,
			pstrdup(NameStr(form->enumlabel))};
	}
	ReleaseCatCacheList(list);
	qsort(label, n, sizeof(Label), compare_labels);
	codec->nlabels = n;
	codec->label = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
		codec->label[i] = label[i].text;
	pfree(label);
}

/*
 * Finds the kind of a base type by its category; for a range also that of its
 * bounds, which must be numbers of one part.
 */
static bool
kind_by_category(GsCodec *codec)
{
	char		category;
	bool		preferred;
	Oid			element;

	if (type_is_enum(codec->type))
	{
		codec->kind = find_kind("enum", InvalidOid);
		read_labels(codec);
		return true;
	}
	if (type_is_range(codec->type))
	{
		codec->kind = find_kind("range", InvalidOid);
		codec->range = lookup_type_cache(codec->type, TYPECACHE_RANGE_INFO);
		codec->bound = find_kind(NULL,
								 getBaseType(codec->range->rngelemtype->type_id));
		return codec->bound != NULL && codec->bound->nparts == 1 &&
			codec->bound->content == GS_CONTENT_NUMBERS;
	}
	element = get_element_type(codec->type);
	if (OidIsValid(element))
	{
		codec->kind = find_kind("array", InvalidOid);
		codec->element = palloc(sizeof(GsCodec));
		codec->elementtype = element;

		/* an array of a domain over arrays is not an array of more dimensions */
		return gs_codec_for_type(codec->element, element, codec->typmod) &&
			codec->element->element == NULL;
	}
	get_type_category_preferred(codec->type, &category, &preferred);
	codec->kind = find_kind("text", InvalidOid);
	return category == TYPCATEGORY_STRING &&
		get_typtype(codec->type) == TYPTYPE_BASE;
}

/*
 * gs_plain_type: the type that values of a type are made of, without domains:
 * those of arrays' elements are looked through, too.  To make a value of it
 * runs nobody's CHECK.
 *
 * typmod: of the type; set to that of what is returned
 */
Oid
gs_plain_type(Oid type, int32 *typmod)
{
	Oid			base = getBaseTypeAndTypmod(type, typmod);
	Oid			element = get_element_type(base);
	Oid			array;

	if (!OidIsValid(element) || get_typtype(element) != TYPTYPE_DOMAIN)
		return base;
	array = get_array_type(getBaseTypeAndTypmod(element, typmod));
	return OidIsValid(array) ? array : base;
}

/*
 * gs_codec_for_type: finds the codec of a type.
 *
 * type, typmod: of the column; domains are looked through.  The codec's
 * function lookups live in the current memory context.  Returns false for a
 * type that has no codec.
 */
bool
gs_codec_for_type(GsCodec *codec, Oid type, int32 typmod)
{
	Oid			function;
	Oid			ioparam;
	bool		varlena;

	memset(codec, 0, sizeof(GsCodec));
	codec->typmod = typmod;
	codec->type = getBaseTypeAndTypmod(type, &codec->typmod);
	codec->kind = find_kind(NULL, codec->type);
	if (codec->kind == NULL && !kind_by_category(codec))
		return false;
	gs_codec_set_parts(codec);

	getTypeOutputInfo(codec->type, &function, &varlena);
	fmgr_info(function, &codec->output);
	getTypeInputInfo(codec->type, &function, &ioparam);
	fmgr_info(function, &codec->input);
	codec->ioparam = ioparam;
	return true;
}

/*
 * gs_kind_is_text: whether values of a kind, by its name, can be kept as text
 * where their type is not there.
 */
bool
gs_kind_is_text(const char *name)
{
	const GsCodecKind *kind = find_kind(name, InvalidOid);

	return kind != NULL && (kind->content == GS_CONTENT_TEXT ||
							kind->content == GS_CONTENT_LABEL);
}

/*
 * gs_codec_max_chars: the characters that a text of the type may have; 0: no
 * limit.
 */
int
gs_codec_max_chars(const GsCodec *codec)
{
	if (codec->typmod > VARHDRSZ &&
		(codec->type == VARCHAROID || codec->type == BPCHAROID))
		return codec->typmod - VARHDRSZ;
	if (codec->type == NAMEOID)
		return (NAMEDATALEN - 1) / pg_database_encoding_max_length();
	return codec->type == CHAROID ? 1 : 0;
}

/*
 * gs_codec_copy: a codec whose functions keep what they keep in the current
 * context.
 */
void
gs_codec_copy(GsCodec *to, const GsCodec *from)
{
	*to = *from;
	if (OidIsValid(from->output.fn_oid))
		fmgr_info_copy(&to->output, (FmgrInfo *) &from->output,
					   CurrentMemoryContext);
	if (OidIsValid(from->input.fn_oid))
		fmgr_info_copy(&to->input, (FmgrInfo *) &from->input,
					   CurrentMemoryContext);
	if (from->element != NULL)
	{
		to->element = palloc(sizeof(GsCodec));
		gs_codec_copy(to->element, from->element);
	}
	to->domain = NULL;
}

/*
 * gs_codec_split: takes a value apart.
 *
 * value: not NULL, of the codec's base type; parts: [codec->nparts], filled.
 * Texts are allocated in the current context, or point into the value.
 */
void
gs_codec_split(GsCodec *codec, Datum value, GsPart *parts)
{
	memset(parts, 0, sizeof(GsPart) * codec->nparts);
	for (int p = 0; p < codec->nparts; p++)
		parts[p].lane = codec->part[p].lane;
	if (codec->kind->split != NULL)
		codec->kind->split(codec, value, parts);
	else
		parts[0].scalar = codec->kind->scalar(value);
}

/*
 * gs_codec_join: puts a value together, allocated in the current context.
 *
 * parts: [codec->nparts], texts terminated.  Returns a Datum of the codec's
 * base type.  Errors are those of the type's input function.
 */
Datum
gs_codec_join(GsCodec *codec, const GsPart *parts)
{
	if (codec->whole)
		return gs_composite_join(codec, parts[0].text);
	if (codec->kind->join != NULL)
		return codec->kind->join(codec, parts);
	return codec->kind->datum(parts[0].scalar);
}
