/*
 * tensor.c
 *	  Named tensors: what a model is made of at rest.
 *
 * A tensor is a row of gensynth.tensors: its name, type and shape as columns,
 * its elements as a bytea: the magic "GST1", 8 bytes of the SHA-256 of the
 * elements, and the elements, little-endian, row-major.  The digest finds
 * accidents; whoever can write the table can also make a valid digest, so
 * nothing that is read here is trusted any further than its type and shape.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "column/tensor.h"
#include "compat.h"

#define MAGIC			"GST1"
#define DIGEST_BYTES	8
#define HEADER_BYTES	(4 + DIGEST_BYTES)

static const struct
{
	const char *name;
	int			bytes;
}			types[] = {
	[GS_F4] = {"float4", 4},
	[GS_F8] = {"float8", 8},
	[GS_I4] = {"int4", 4},
	[GS_I8] = {"int8", 8},
	[GS_U1] = {"bytes", 1}
};

/*
 * gs_corrupted: raises data_corrupted.  detail: what was found, a sentence.
 */
void
gs_corrupted(const char *detail,...)
{
	char		buffer[256];
	va_list		args;

	va_start(args, detail);
	vsnprintf(buffer, sizeof(buffer), detail, args);
	va_end(args);
	/* not to end within a letter of a name */
	buffer[pg_mbcliplen(buffer, strlen(buffer), strlen(buffer))] = '\0';
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored model is corrupted"),
			 errdetail_internal("%s", buffer),
			 errhint("Fit the model again, or go back to another version with synth_use.")));
}

/*
 * The number of bytes that a type and shape ask for; false where that cannot
 * be a tensor.
 */
static bool
payload_bytes(GsTensorType type, int ndims, const int32 *dims, Size *bytes)
{
	uint64		n = types[type].bytes;

	if (ndims < 1 || ndims > GS_TENSOR_DIMS)
		return false;
	for (int i = 0; i < ndims; i++)
	{
		if (dims[i] < 0)
			return false;
		n *= (uint64) dims[i];	/* below 2^34 times below 2^31 */
		if (n > MaxAllocSize - 1024)
			return false;
	}
	*bytes = (Size) n;
	return true;
}

/*
 * gs_tensor_type_name: how the catalog calls a type.
 */
const char *
gs_tensor_type_name(GsTensorType type)
{
	return types[type].name;
}

/*
 * gs_tensor_add: appends a tensor; its elements are copied.
 *
 * ndims: 1 or 2; rows, columns: the shape, columns ignored for one dimension.
 */
void
gs_tensor_add(List **tensors, const char *name, GsTensorType type, int ndims,
			  int64 rows, int64 columns, const void *data)
{
	GsTensor   *tensor = palloc0(sizeof(GsTensor));
	Size		bytes;

	tensor->name = pstrdup(name);
	tensor->type = type;
	tensor->ndims = ndims;
	tensor->dims[0] = (int32) Min(rows, PG_INT32_MAX);
	tensor->dims[1] = ndims > 1 ? (int32) Min(columns, PG_INT32_MAX) : 0;
	if (rows > PG_INT32_MAX || columns > PG_INT32_MAX ||
		!payload_bytes(type, ndims, tensor->dims, &bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model parameter \"%s\" is too large to be stored",
						name),
				 errhint("Leave columns out with the exclude argument of synth_fit.")));
	tensor->data = palloc(Max(bytes, 1));
	if (bytes > 0)
		memcpy(tensor->data, data, bytes);
	*tensors = lappend(*tensors, tensor);
}

/*
 * gs_tensor_find: a tensor by name, or NULL.
 */
const GsTensor *
gs_tensor_find(const List *tensors, const char *name)
{
	ListCell   *cell;

	foreach(cell, tensors)
	{
		const GsTensor *tensor = lfirst(cell);

		if (strcmp(tensor->name, name) == 0)
			return tensor;
	}
	return NULL;
}

/*
 * gs_tensor_get: a tensor by name, which must be of the type and rank.
 */
const GsTensor *
gs_tensor_get(const List *tensors, const char *name, GsTensorType type,
			  int ndims)
{
	const GsTensor *tensor = gs_tensor_find(tensors, name);

	if (tensor == NULL)
		gs_corrupted("Tensor \"%s\" is missing.", name);
	if (tensor->type != type || tensor->ndims != ndims)
		gs_corrupted("Tensor \"%s\" is not of type %s with %d dimensions.",
					 name, types[type].name, ndims);
	return tensor;
}

/*
 * gs_tensor_data: the elements of a tensor of one dimension, which must be of
 * the type and length.
 */
const void *
gs_tensor_data(const List *tensors, const char *name, GsTensorType type,
			   int64 rows)
{
	const GsTensor *tensor = gs_tensor_get(tensors, name, type, 1);

	if (tensor->dims[0] != rows)
		gs_corrupted("Tensor \"%s\" has %d elements, not " INT64_FORMAT ".",
					 name, tensor->dims[0], rows);
	return tensor->data;
}

/*
 * gs_sha256: the digest of bytes; out: GS_SHA256_BYTES.
 */
void
gs_sha256(const void *data, Size bytes, uint8 *out)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, data, bytes) < 0 ||
		pg_cryptohash_final(context, out, GS_SHA256_BYTES) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute a SHA-256 digest")));
	pg_cryptohash_free(context);
}

static void
digest(const void *data, Size bytes, uint8 *out)
{
	uint8		full[GS_SHA256_BYTES];

	gs_sha256(data, bytes, full);
	memcpy(out, full, DIGEST_BYTES);
}

/*
 * Little-endian at rest; a no-op almost everywhere.
 */
static void
swap_bytes(void *data, Size bytes, int size)
{
#ifdef WORDS_BIGENDIAN
	char	   *p = data;

	for (Size at = 0; size > 1 && at + size <= bytes; at += size)
		for (int i = 0; i < size / 2; i++)
		{
			char		c = p[at + i];

			p[at + i] = p[at + size - 1 - i];
			p[at + size - 1 - i] = c;
		}
#endif
}

/*
 * gs_tensor_pack: a tensor's bytes as they are stored.
 */
bytea *
gs_tensor_pack(const GsTensor *tensor)
{
	Size		bytes;
	bytea	   *packed;
	char	   *at;

	if (!payload_bytes(tensor->type, tensor->ndims, tensor->dims, &bytes))
		elog(ERROR, "tensor \"%s\" has an impossible shape", tensor->name);
	packed = palloc(VARHDRSZ + HEADER_BYTES + bytes);
	SET_VARSIZE(packed, VARHDRSZ + HEADER_BYTES + bytes);
	at = VARDATA(packed);
	memcpy(at, MAGIC, 4);
	memcpy(at + HEADER_BYTES, tensor->data, bytes);
	swap_bytes(at + HEADER_BYTES, bytes, types[tensor->type].bytes);
	digest(at + HEADER_BYTES, bytes, (uint8 *) at + 4);
	return packed;
}

/*
 * gs_tensor_unpack: reads a stored tensor.
 *
 * type, ndims, dims, packed: columns of its row.  Errors: data_corrupted on
 * anything that does not fit together.
 */
GsTensor *
gs_tensor_unpack(const char *name, const char *type, int ndims,
				 const int32 *dims, const bytea *packed)
{
	GsTensor   *tensor = palloc0(sizeof(GsTensor));
	const char *at = VARDATA_ANY(packed);
	Size		stored = VARSIZE_ANY_EXHDR(packed);
	Size		bytes;
	uint8		expected[DIGEST_BYTES];
	int			t;

	tensor->name = pstrdup(name);
	for (t = 0; t < lengthof(types); t++)
		if (strcmp(types[t].name, type) == 0)
			break;
	if (t == lengthof(types))
		gs_corrupted("Tensor \"%s\" is of unknown type.", name);
	tensor->type = t;
	if (!payload_bytes(tensor->type, ndims, dims, &bytes))
		gs_corrupted("Tensor \"%s\" has an impossible shape.", name);
	tensor->ndims = ndims;
	memcpy(tensor->dims, dims, sizeof(int32) * ndims);
	if (stored != HEADER_BYTES + bytes || memcmp(at, MAGIC, 4) != 0)
		gs_corrupted("Tensor \"%s\" is not as long as its shape says, or has no header.",
					 name);
	digest(at + HEADER_BYTES, bytes, expected);
	if (memcmp(expected, at + 4, DIGEST_BYTES) != 0)
		gs_corrupted("Tensor \"%s\" does not match its digest.", name);
	tensor->data = palloc(Max(bytes, 1));
	memcpy(tensor->data, at + HEADER_BYTES, bytes);
	swap_bytes(tensor->data, bytes, types[t].bytes);
	return tensor;
}
