/*
 * learn_document.c
 *	  What a fit finds out about JSON documents that are to be made anew.
 *
 * The column becomes a category of layouts (format_layout.c), and the values at
 * each path that enough rows have become a column of their own, a member,
 * behind those of the table: a family sees both as it sees any feature.  What
 * is no member (elements of arrays, values that few rows have) is drawn by
 * itself, as all of a document is whose layout is too rare.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "column/members.h"
#include "text/json.h"
#include "learn/learn_internal.h"

#define MAX_LAYOUTS		1000
#define LEAST_MEMBERS	8
#define MEMBER_BYTES	16		/* of a row, while a member is learned */
#define MEMBER_ROWS		5		/* times the threshold, that must have it */
#define MEMBER_SHARE	0.01	/* ... and of the rows with a document */
#define FIXED_SHARE		0.90	/* of the rows that differ in arrays' lengths
								 * alone, to keep these */

/* A kept text's document. */
typedef struct Document
{
	uint64		hash;			/* key: the lane's */
	Jsonb	   *jsonb;			/* NULL: jsonb cannot hold it */
	uint64		fixed;			/* hash of its layout; 0: none */
	uint64		open;			/* the same with lengths left open */
	int64		rows;			/* of the sample */
} Document;

/* A layout, and who has it. */
typedef struct Layout
{
	uint64		hash;			/* key */
	char	   *text;
	uint64		open;			/* of one with lengths: with them left open */
	int64		rows;
	int64		covered;		/* of an open one: rows whose lengths show */
	int64		shown;			/* rows that show it */
} Layout;

/* What has been seen in a place. */
typedef struct PlaceCount
{
	uint32		place;
	int64		rows[JSON_NTYPES];
	int64		truths;
} PlaceCount;

static HTAB *
create_table(const char *name, Size entry)
{
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = entry,
	.hcxt = CurrentMemoryContext};

	return hash_create(name, 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Layout *
find_layout(GsDocuments *documents, const StringInfo text, uint64 salt)
{
	/* 0 is none */
	uint64		hash = Max(gs_format_hash(text->data, text->len, salt), 1);
	bool		found;
	Layout	   *layout = hash_search(documents->layouts, &hash, HASH_ENTER,
									 &found);

	if (!found)
	{
		layout->text = pstrdup(text->data);
		layout->open = 0;
		layout->rows = layout->covered = layout->shown = 0;
	}
	return layout;
}

/*
 * The documents of the texts that were kept, with their layouts.
 */
static void
read_documents(GsDocuments *documents, LaneView *view, uint64 salt)
{
	const GsFormat *format = view->column->format;
	bool		plain = view->column->codec.type == JSONBOID;
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	StringInfoData text;

	initStringInfo(&text);
	hash_seq_init(&scan, view->lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		Document   *document = hash_search(documents->documents, &entry->hash,
										   HASH_ENTER, NULL);
		Layout	   *open;
		Layout	   *fixed;

		CHECK_FOR_INTERRUPTS();
		document->jsonb = NULL;
		document->fixed = document->open = 0;
		document->rows = 0;
		if (!plain && !gs_json_is_plain(entry->text, entry->len))
			continue;
		document->jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
															 CStringGetDatum(entry->text)));
		resetStringInfo(&text);
		if (!gs_format_read(format, document->jsonb, true, &text, NULL, NULL))
			continue;
		open = find_layout(documents, &text, salt);
		document->open = open->hash;
		resetStringInfo(&text);
		gs_format_read(format, document->jsonb, false, &text, NULL, NULL);
		fixed = find_layout(documents, &text, salt);
		fixed->open = document->open;
		document->fixed = fixed->hash;
	}
	pfree(text.data);
}

static Document *
document_of(GsDocuments *documents, const LaneView *view, int64 row)
{
	if (is_absent(view->lane, row) || is_unknown(view, row))
		return NULL;
	return hash_search(documents->documents, &view->lane->scalar[row].hash,
					   HASH_FIND, NULL);
}

static inline Layout *
layout_of(GsDocuments *documents, uint64 hash)
{
	return hash == 0 ? NULL :
		hash_search(documents->layouts, &hash, HASH_FIND, NULL);
}

/*
 * Counts the rows of each document, and marks those whose text was not kept:
 * nothing is known of them.  Since these have rare documents, as many of the
 * rows with none or a frequent one are taken for unknown, so that the shares
 * stay as they are.
 */
static void
count_documents(GsDocuments *documents, LaneView *view)
{
	int64		unknown = view->npresent;
	int64		rare = 0;
	HASH_SEQ_STATUS scan;
	Document   *document;
	double		kept;

	for (int64 row = 0; row < view->nrows; row++)
		if ((document = document_of(documents, view, row)) != NULL)
			document->rows++;
	hash_seq_init(&scan, documents->documents);
	while ((document = hash_seq_search(&scan)) != NULL)
	{
		unknown -= document->rows;
		if (document->rows < view->threshold)
			rare += document->rows;
	}
	view->unknown = palloc_extended(Max(view->nrows, 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	/* NULLs that are to be filled tell nothing of members either */
	for (int64 row = 0; row < view->nrows; row++)
		view->unknown[row] = view->column->impute &&
			is_absent(view->lane, row);
	if (unknown == 0)
		return;
	kept = (double) rare / (rare + unknown);
	for (int64 row = 0; row < view->nrows; row++)
	{
		document = document_of(documents, view, row);
		if (document == NULL && !is_absent(view->lane, row))
			view->unknown[row] = true;
		else if (document == NULL || document->rows >= view->threshold)
			view->unknown[row] |= (gs_mix64(view->lane->salt, row) >> 11) *
				0x1.0p-53 >= kept;
		if (document != NULL && view->unknown[row])
			document->rows--;
	}
}

/*
 * Counts the rows of each layout.  Returns the rows of which something is
 * known and that are not NULL.
 */
static int64
count_layouts(GsDocuments *documents)
{
	HASH_SEQ_STATUS scan;
	Document   *document;
	Layout	   *layout;
	int64		known = 0;

	hash_seq_init(&scan, documents->documents);
	while ((document = hash_seq_search(&scan)) != NULL)
	{
		known += document->rows;
		if ((layout = layout_of(documents, document->open)) != NULL)
			layout->rows += document->rows;
		/* where there is no array, they are one */
		if (document->fixed != document->open &&
			(layout = layout_of(documents, document->fixed)) != NULL)
			layout->rows += document->rows;
	}
	return known;
}

/*
 * Adds up, for each layout with lengths left open, the rows whose lengths
 * enough others have.
 */
static void
cover_layouts(GsDocuments *documents, int threshold)
{
	HASH_SEQ_STATUS scan;
	Layout	   *layout;

	hash_seq_init(&scan, documents->layouts);
	while ((layout = hash_seq_search(&scan)) != NULL)
		if (layout->open != layout->hash && layout->open != 0 &&
			layout->rows >= threshold)
			layout_of(documents, layout->open)->covered += layout->rows;
}

/*
 * The layout that a document shows: that with lengths, where those that enough
 * rows have are nearly all; NULL: none.
 */
static Layout *
shown_layout(GsDocuments *documents, const Document *document, int threshold)
{
	Layout	   *open = layout_of(documents, document->open);
	Layout	   *fixed = layout_of(documents, document->fixed);

	if (open == NULL || open == fixed || fixed->rows < threshold ||
		open->covered < FIXED_SHARE * open->rows)
		return open;
	return fixed;
}

static int
by_shown(const void *a, const void *b)
{
	const Layout *x = *(Layout *const *) a;
	const Layout *y = *(Layout *const *) b;

	if (x->shown != y->shown)
		return x->shown > y->shown ? -1 : 1;
	return strcmp(x->text, y->text);
}

/*
 * Makes the lane one of layouts, and the feature a category of those that
 * enough rows have.
 */
static void
learn_layouts(GsDocuments *documents, LaneView *view, int64 known)
{
	GsFeature  *feature = view->feature;
	HASH_SEQ_STATUS scan;
	Layout	   *layout;
	Layout	  **layouts;
	int64		rest = known;
	int			n = 0;

	for (int64 row = 0; row < view->nrows; row++)
	{
		Document   *document = document_of(documents, view, row);

		if (document == NULL)
			continue;
		layout = shown_layout(documents, document, view->threshold);
		view->lane->scalar[row].hash = layout != NULL ? layout->hash : 0;
		if (layout != NULL)
			layout->shown++;
	}
	layouts = palloc(sizeof(Layout *) *
					 Max(hash_get_num_entries(documents->layouts), 1));
	hash_seq_init(&scan, documents->layouts);
	while ((layout = hash_seq_search(&scan)) != NULL)
		if (layout->shown >= view->threshold &&
			strlen(layout->text) <= GS_MAX_LEVEL_BYTES)
			layouts[n++] = layout;
	qsort(layouts, n, sizeof(Layout *), by_shown);
	n = Min(n, MAX_LAYOUTS);
	for (int i = 0; i < n; i++)
		rest -= layouts[i]->shown;
	gs_alloc_levels(feature, n);
	for (int i = 0; i < n; i++)
	{
		feature->level[i].hash = layouts[i]->hash;
		feature->text[i] = pstrdup(layouts[i]->text);
		feature->share[i] = layouts[i]->shown;
	}
	if (n == 0 || rest >= view->threshold)
	{
		feature->other_level = feature->nlevels++;
		feature->share[feature->other_level] = Max(rest, 1);
	}
	pfree(layouts);
}

/* Counting the values of documents in their places. */
typedef struct Counting
{
	PlaceCount  *places;			/* [gs_format_places] */
	int64		rows;			/* that have this document */
} Counting;

static void
count_value(void *arg, uint32 place, const JsonbValue *value)
{
	Counting   *counting = arg;
	PlaceCount  *count = &counting->places[place];

	count->rows[gs_format_json_type(value)] += counting->rows;
	if (value->type == jbvBool && value->val.boolean)
		count->truths += counting->rows;
}

/*
 * The type of a place's values if it may be a member: the most frequent one of
 * those that are columns; JSON_NULL: none.
 */
static JsonType
member_type(const PlaceCount *count, int64 least, int threshold)
{
	JsonType	type = JSON_BOOL;

	for (JsonType t = JSON_NUMBER; t <= JSON_STRING; t++)
		if (count->rows[t] > count->rows[type])
			type = t;
	if (count->rows[type] < least ||
		(type == JSON_BOOL &&
		 (count->truths < threshold ||
		  count->rows[type] - count->truths < threshold)))
		return JSON_NULL;
	return type;
}

static int
by_values(const void *a, const void *b)
{
	const PlaceCount *x = a;
	const PlaceCount *y = b;
	int64		nx = x->rows[JSON_BOOL] + x->rows[JSON_NUMBER] +
		x->rows[JSON_STRING];
	int64		ny = y->rows[JSON_BOOL] + y->rows[JSON_NUMBER] +
		y->rows[JSON_STRING];

	if (nx != ny)
		return nx > ny ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int
by_place(const void *a, const void *b)
{
	const GsColumn *x = a;
	const GsColumn *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

/*
 * The places that become members: those that most rows have.
 */
static void
choose_members(GsDocuments *documents, const LaneView *view, int64 known)
{
	const GsFormat *format = view->column->format;
	uint32		n = gs_format_places(format);
	Counting	counting = {.places = palloc0(sizeof(PlaceCount) * n)};
	int64		least = Max(MEMBER_ROWS * view->threshold,
							(int64) (MEMBER_SHARE * known));
	int			most = Min(GS_MAX_MEMBERS, (Size) maintenance_work_mem * 1024 / 4 /
						   MEMBER_BYTES / Max(view->nrows, 1));
	HASH_SEQ_STATUS scan;
	Document   *document;
	StringInfoData text;

	for (uint32 i = 0; i < n; i++)
		counting.places[i].place = i;
	initStringInfo(&text);
	hash_seq_init(&scan, documents->documents);
	while ((document = hash_seq_search(&scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		counting.rows = document->rows;
		resetStringInfo(&text);
		if (document->jsonb != NULL)
			gs_format_read(format, document->jsonb, true, &text, count_value,
						  &counting);
	}
	qsort(counting.places, n, sizeof(PlaceCount), by_values);
	for (uint32 i = 0; i < n && documents->nmembers < Max(most, LEAST_MEMBERS);
		 i++)
	{
		GsColumn   *member = &documents->member[documents->nmembers];
		JsonType	type = member_type(&counting.places[i], least,
									   view->threshold);

		if (type == JSON_NULL)
			continue;
		gs_member_init(member, view->column, counting.places[i].place, type);
		documents->nmembers++;
	}
	qsort(documents->member, documents->nmembers, sizeof(GsColumn), by_place);
	pfree(counting.places);
	pfree(text.data);
}

/* Putting the values of a row in its members' lanes. */
typedef struct Filling
{
	GsDocuments *documents;
	int		   *member_of;		/* [gs_format_places] -1: none */
	bool		seen[GS_MAX_MEMBERS];
	int64		row;
} Filling;

static void
put_value(void *arg, uint32 place, const JsonbValue *value)
{
	Filling    *filling = arg;
	int			m = filling->member_of[place];
	GsColumn   *member;
	GsPart		part;

	if (m < 0)
		return;
	member = &filling->documents->member[m];
	if (gs_format_json_type(value) != gs_member_type(member))
		return;
	memset(&part, 0, sizeof(part));
	gs_codec_split(&member->codec, gs_member_datum(value), &part);
	gs_lane_put(&filling->documents->lane[m], filling->row, filling->row,
				&part);
	filling->seen[m] = true;
}

/*
 * The lanes of the members; of NULLs where a row has no value for them.
 */
static void
fill_lanes(GsDocuments *documents, const LaneView *view)
{
	const GsFormat *format = view->column->format;
	Filling		filling = {.documents = documents};
	int			n = documents->nmembers;
	Size		budget = view->lane->texts_budget / Max(n, 1);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext,
												  "gensynth members of a row",
												  ALLOCSET_DEFAULT_SIZES);

	filling.member_of = gs_members_by_place(format, documents->member, n);
	for (int m = 0; m < n; m++)
		gs_lane_init(&documents->lane[m],
					 documents->member[m].codec.part[0].lane,
					 view->lane->salt, budget);
	for (int64 row = 0; row < view->nrows; row++)
	{
		Document   *document = document_of(documents, view, row);
		MemoryContext old = MemoryContextSwitchTo(scratch);
		StringInfoData text;

		CHECK_FOR_INTERRUPTS();
		filling.row = row;
		memset(filling.seen, 0, sizeof(filling.seen));
		if (document != NULL && document->jsonb != NULL)
		{
			initStringInfo(&text);
			gs_format_read(format, document->jsonb, true, &text, put_value,
						  &filling);
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
		for (int m = 0; m < n; m++)
			if (!filling.seen[m])
				gs_lane_put(&documents->lane[m], row, row, NULL);
	}
	MemoryContextDelete(scratch);
	pfree(filling.member_of);
}

/*
 * gs_learn_documents: learns a column of JSON documents that are to be made
 * anew: its lane becomes one of layouts, its feature a category of them.
 *
 * view: its lane is sorted, and its texts are not yet levels; salt: of the
 * lane's hashes.  Sets the column's format and view->unknown.  Returns its
 * members, to be learned by their lanes, in the current context.
 */
GsDocuments *
gs_learn_documents(LaneView *view, uint64 salt)
{
	GsDocuments *documents = palloc0(sizeof(GsDocuments));
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = AllocSetContextCreate(caller,
												  "gensynth documents",
												  ALLOCSET_DEFAULT_SIZES);
	int64		known;

	view->column->document = true;
	gs_learn_format(view, salt);
	documents->member = palloc0(sizeof(GsColumn) * GS_MAX_MEMBERS);
	documents->lane = palloc0(sizeof(GsLane) * GS_MAX_MEMBERS);
	MemoryContextSwitchTo(scratch);
	documents->documents = create_table("gensynth documents",
										sizeof(Document));
	documents->layouts = create_table("gensynth layouts", sizeof(Layout));
	read_documents(documents, view, salt);
	MemoryContextSwitchTo(caller);
	count_documents(documents, view);
	known = count_layouts(documents);
	cover_layouts(documents, view->threshold);
	choose_members(documents, view, known);
	fill_lanes(documents, view);
	learn_layouts(documents, view, known);
	MemoryContextDelete(scratch);
	return documents;
}
