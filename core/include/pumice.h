/* The C interface of pumice's core: a model file in memory goes in, token ids and vectors come out.
 *
 * The core owns nothing: it allocates no memory, opens no file, starts no thread, reads no clock and
 * no environment. The caller hands in the bytes of a .pumice file (mapped, in flash, or on the heap)
 * and the memory that the model view and the workers live in.
 *
 * Lifetimes: the file's bytes must outlive the model, the model must outlive its workers, and none of
 * them may move. There is nothing to free but the caller's own memory.
 * Threads: a pumice_model is immutable and may be shared by any number of threads. A pumice_worker
 * holds scratch and belongs to one thread at a time.
 * Results depend on the model and the text alone: never on the thread, the batch or the processor.
 */
#ifndef PUMICE_H
#define PUMICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the file format this core reads (docs/format.md). */
#define PUMICE_FORMAT_VERSION 1u

/* What file bytes and caller-provided memory must be aligned to, in bytes. */
#define PUMICE_ALIGNMENT 16u

typedef enum pumice_status {
  PUMICE_OK = 0,
  PUMICE_NOT_A_MODEL = 1,          /* the magic number is missing */
  PUMICE_UNKNOWN_VERSION = 2,      /* a format this core does not read */
  PUMICE_TRUNCATED = 3,            /* fewer or more bytes than the header declares */
  PUMICE_BAD_SECTION_TABLE = 4,    /* sections out of bounds, out of order, repeated or overlapping */
  PUMICE_UNKNOWN_SECTION = 5,      /* a required section of a kind this core does not know */
  PUMICE_MISSING_SECTION = 6,      /* a section that the parameters call for is absent */
  PUMICE_BAD_PARAMETERS = 7,       /* a parameter outside its range */
  PUMICE_BAD_SECTION = 8,          /* a section whose length or content contradicts the parameters */
  PUMICE_UNALIGNED = 9,            /* memory not aligned to PUMICE_ALIGNMENT */
  PUMICE_MEMORY_TOO_SMALL = 10,    /* the caller's memory is smaller than asked for */
  PUMICE_INVALID_UTF8 = 11,        /* the text is not UTF-8 */
  PUMICE_BAD_ARGUMENT = 12,        /* a null pointer, a dimension of 0 or above the model's, a bad type */
  PUMICE_NO_NATIVE_TOKENIZER = 13, /* the file's tokenizer runs outside the core; pumice_pool still works */
  PUMICE_TOO_MUCH_WORK = 14        /* a normalizer or pre-tokenizer that makes the text absurdly longer */
} pumice_status;

/* One sentence for a status; a static string. */
const char* pumice_status_message(uint32_t status);

/* An opened model: a view of the file's bytes. Immutable; any number of threads may share it. */
typedef struct pumice_model pumice_model;

/* Scratch for one thread's calls. */
typedef struct pumice_worker pumice_worker;

/* How the rows of the embedding table are stored. */
typedef enum pumice_row_type {
  PUMICE_ROW_F32 = 0,
  PUMICE_ROW_F16 = 1,
  PUMICE_ROW_I8 = 2,
  PUMICE_ROW_I4 = 3, /* two codes a byte: the odd numbers from -15 to 15 */
  PUMICE_ROW_I2 = 4, /* four: -3, -1, 1, 3 */
  PUMICE_ROW_I1 = 5  /* eight: -1, 1 */
} pumice_row_type;

/* Which tokenizer the file carries. */
typedef enum pumice_tokenizer {
  PUMICE_TOKENIZER_LIBRARY = 0,   /* none that the core runs: token ids come from the caller */
  PUMICE_TOKENIZER_WORDPIECE = 1, /* with BERT's normalizer and pre-tokenizer */
  PUMICE_TOKENIZER_UNIGRAM = 2,
  PUMICE_TOKENIZER_BPE = 3,
  PUMICE_TOKENIZER_WORD_LEVEL = 4
} pumice_tokenizer;

/* How a vector is written out. */
typedef enum pumice_vector_type {
  PUMICE_VECTOR_F32 = 0,   /* 4 bytes a dimension */
  PUMICE_VECTOR_F16 = 1,   /* 2 bytes a dimension, round to nearest even */
  PUMICE_VECTOR_I8 = 2,    /* 1 byte a dimension: round(127 x / max|x|), ties to even */
  PUMICE_VECTOR_BINARY = 3 /* 1 bit a dimension, set where x > 0; first dimension in the highest bit */
} pumice_vector_type;

/* Added to a pumice_vector_type of pumice_encode_many: the vectors are not read soon, and need not push the table and
 * the words out of the caches on their way to memory. For results that are larger than the caches. */
#define PUMICE_PAST_CACHES 256u

typedef struct pumice_info {
  uint32_t dimensions;
  uint32_t tokens;        /* vocabulary size */
  uint32_t rows;          /* rows of the embedding table */
  uint32_t row_type;      /* pumice_row_type */
  uint32_t tokenizer;     /* pumice_tokenizer */
  uint32_t unknown_id;    /* UINT32_MAX: the vocabulary has no unknown token */
  uint32_t drops_unknown; /* 1: unknown tokens are left out of the mean; 0: averaged in */
  uint32_t normalizes;    /* 1: vectors are divided by their L2 norm */
  uint32_t max_tokens;    /* tokens kept per text; UINT32_MAX: all */
  uint32_t max_chars;     /* code points kept per text; UINT32_MAX: all */
  float multiplier_unit;  /* rows of integers: what a token's multiplier counts */
} pumice_info;

/* Sections of the file that bindings read for people; see docs/format.md. */
typedef enum pumice_section_kind {
  PUMICE_SECTION_METADATA = 1,
  PUMICE_SECTION_PARAMETERS = 2,
  PUMICE_SECTION_TOKENS = 3,
  PUMICE_SECTION_TOKENIZER = 4,
  PUMICE_SECTION_VOCABULARY = 5,
  PUMICE_SECTION_ADDED_TOKENS = 6,
  PUMICE_SECTION_ROWS = 7,
  PUMICE_SECTION_ROW_SCALES = 8,
  PUMICE_SECTION_TOKEN_ROWS = 9,
  PUMICE_SECTION_TOKEN_WEIGHTS = 10,
  PUMICE_SECTION_NORMALIZER = 11,
  PUMICE_SECTION_PRE_TOKENIZER = 12,
  PUMICE_SECTION_MODEL = 13,
  PUMICE_SECTION_NORMALIZED_TOKENS = 14,
  PUMICE_SECTION_TOKEN_MULTIPLIERS = 15,
  PUMICE_SECTION_REPEATS = 16,
  PUMICE_SECTION_POSITIONS = 17,
  PUMICE_SECTION_PACKED_ROWS = 18,
  PUMICE_SECTION_TOKEN_PARTS = 19,
  PUMICE_SECTION_TOKEN_BORDERS = 20
} pumice_section_kind;

/* Bytes of memory that pumice_open needs for the model view. */
size_t pumice_model_size(void);

/* Checks every bound of the file and puts a view of it into `memory`. The checksum is not computed here:
 * no content of a file, however hostile, makes a later call read or write outside it. */
pumice_status pumice_open(const void* file, size_t file_size, void* memory, size_t memory_size,
                          const pumice_model** model);

pumice_info pumice_describe(const pumice_model* model);

/* The bytes of one section of the file; returns 0 where the file has none of that kind. */
int pumice_section(const pumice_model* model, uint32_t kind, const void** bytes, size_t* size);

/* Bytes of memory that a worker of this model needs. A longer text may answer PUMICE_MEMORY_TOO_SMALL: repeat the
 * call with a worker in more memory. None asks for more than 256 KiB and 1,024 times its own bytes beyond this. */
size_t pumice_worker_size(const pumice_model* model);

/* Bytes with which a worker is fastest: what is beyond its needs remembers words it has met. Results are the same. */
size_t pumice_worker_fast_size(const pumice_model* model);

pumice_status pumice_worker_init(const pumice_model* model, void* memory, size_t memory_size, pumice_worker** worker);

/* Token ids of one UTF-8 text, as they enter the mean: cut at max_chars and max_tokens, unknown tokens left
 * out where the model drops them. Writes at most `capacity` ids; *count is how many there are, 0 where the call fails.
 */
pumice_status pumice_tokenize(pumice_worker* worker, const char* text, size_t size, uint32_t* ids, size_t capacity,
                              size_t* count);

/* A token and the bytes of the text that it stands for: `begin` is its first, `end` the one after its last. */
typedef struct pumice_token {
  uint32_t id;
  size_t begin;
  size_t end;
} pumice_token;

/* The tokens of pumice_tokenize with their spans, as Hugging Face tokenizers reports offsets before a post-processor
 * trims them: what a code point expands to shares its span, an unknown word has that of the whole word. Slow, for
 * explaining a result: WordPiece reads on past the last token that counts, and its scratch grows with the text (after
 * PUMICE_MEMORY_TOO_SMALL repeat the call with a worker in more memory). A text of 4 GiB is PUMICE_TOO_MUCH_WORK.
 */
pumice_status pumice_token_spans(pumice_worker* worker, const char* text, size_t size, pumice_token* tokens,
                                 size_t capacity, size_t* count);

/* Bytes of one vector of `dim` dimensions. */
size_t pumice_vector_size(uint32_t dim, uint32_t type);

/* The vector of one UTF-8 text: the first `dim` dimensions, normalised after the cut. A text without tokens
 * gives zeros. Writes pumice_vector_size(dim, type) bytes; `out` needs no alignment. */
pumice_status pumice_encode(pumice_worker* worker, const char* text, size_t size, uint32_t dim, uint32_t type,
                            void* out);

/* A text: `size` bytes of UTF-8. */
typedef struct pumice_text {
  const char* bytes;
  size_t size;
} pumice_text;

/* The vectors of `count` texts, one after the other into `out`; the same bits as pumice_encode, sooner. Ends at the
 * first text that fails; *done is how many vectors were written, and so which text it was. */
pumice_status pumice_encode_many(pumice_worker* worker, const pumice_text* texts, size_t count, uint32_t dim,
                                 uint32_t type, void* out, size_t* done);

/* The same from token ids that a tokenizer outside the core made: cut at max_tokens, unknown ids left out
 * where the model drops them. */
pumice_status pumice_pool(pumice_worker* worker, const uint32_t* ids, size_t count, uint32_t dim, uint32_t type,
                          void* out);

/* Codes to search: `count` vectors as pumice_encode writes them, one after the other, and what is known of them.
 * Exact search over any of them; whoever keeps codes in several blocks calls once for each block. */
typedef struct pumice_codes {
  const void* codes;
  uint32_t dim;
  uint32_t type; /* PUMICE_VECTOR_I8 or PUMICE_VECTOR_BINARY */
  size_t count;
  uint32_t first;          /* position of the first of them; its sum with `count` is at most 2^32 */
  const float* scales;     /* what each score is multiplied by, such as 1 / the norm of an int8 code; null: by 1 */
  const uint8_t* left_out; /* a bit for each, the first in the lowest bit of its byte: 1 is passed over; null: none */
} pumice_codes;

/* A query of the codes' `dim`. Of the codes' type, or int8 for binary codes. Scores are, before their scale: int8
 * with int8, the dot product; binary with binary, dim less twice the bits that differ; int8 with binary, the sum of
 * the query's values, negated where the code's bit is 0. */
typedef struct pumice_code_query {
  const void* bytes;
  uint32_t type;
} pumice_code_query;

typedef struct pumice_hit {
  uint32_t position;
  float score;
} pumice_hit;

/* The best `capacity` of `codes` and of the *found hits that are there already, best first; of equal scores the lower
 * position comes first. Begin with *found = 0. A scale that is not a number gives some order. */
pumice_status pumice_nearest(const pumice_codes* codes, const pumice_code_query* query, pumice_hit* hits,
                             size_t capacity, size_t* found);

/* Gives those of `count` hits that lie among `codes` their score there, and puts all of them best first. */
pumice_status pumice_rescore(const pumice_codes* codes, const pumice_code_query* query, pumice_hit* hits, size_t count);

#ifdef __cplusplus
}
#endif
#endif
