/* Who signed. Twin of recovery.py, where modules are compiled; the functions say there what they do.
 *
 * The curve is libsecp256k1's, the copy that coincurve has loaded: its functions come by address when this module is
 * loaded, so that nothing is linked. Many messages are hashed side by side and recovered in groups, without Python's lock;
 * whoever comes (the machine that asks, a thread beside it) takes the next group that nobody has begun with.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <time.h>

#include "keccak.h"

#define SIGNATURE 64
#define ADDRESS 20
#define KEY 65              /* bytes of an uncompressed public key */
#define UNCOMPRESSED 2      /* SECP256K1_EC_UNCOMPRESSED */
#define GROUP 16            /* messages that are begun with together */
#define PREFIX 34           /* of EIP-712: 0x1901 and a domain separator */

typedef struct { unsigned char data[65]; } RecoverableSignature;
typedef struct { unsigned char data[64]; } PublicKey;

static int (*parse)(const void *, RecoverableSignature *, const unsigned char *, int);
static int (*recover_key)(const void *, PublicKey *, const RecoverableSignature *, const unsigned char *);
static int (*serialize)(const void *, unsigned char *, size_t *, const PublicKey *, unsigned int);
static const void *context;
static PyObject *context_holder;

static const uint8_t HALF_ORDER[32] = {
    0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0x5D, 0x57, 0x6E, 0x73, 0x57, 0xA4, 0x50, 0x1D, 0xDF, 0xE9, 0x2F, 0x46, 0x68, 0x1B, 0x20, 0xA0,
};
static const uint8_t ZERO[32];

/* The public key of a signer, whose hash ends in the address; whether there is one. */
static int find_key(const uint8_t digest[DIGEST], const uint8_t signature[SIGNATURE], uint8_t key[KEY])
{
    uint8_t compact[SIGNATURE];
    RecoverableSignature parsed;
    PublicKey point;
    size_t length = KEY;
    const int parity = signature[32] >> 7;
    memcpy(compact, signature, SIGNATURE);
    compact[32] &= 0x7F;
    if (memcmp(compact, ZERO, 32) == 0 || memcmp(compact + 32, ZERO, 32) == 0 || memcmp(compact + 32, HALF_ORDER, 32) > 0)
        return 0;
    if (!parse(context, &parsed, compact, parity) || !recover_key(context, &point, &parsed, digest))
        return 0;
    serialize(context, key, &length, &point, UNCOMPRESSED);
    return 1;
}

static PyObject *recover(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    uint8_t digest[DIGEST], signature[SIGNATURE], key[KEY], hash[DIGEST];
    int is_found;
    (void)module;
    if (count != 2 || !PyBytes_Check(arguments[0]) || !PyBytes_Check(arguments[1]))
        return PyErr_Format(PyExc_TypeError, "recover takes a digest and a signature, both bytes");
    if (PyBytes_GET_SIZE(arguments[0]) != DIGEST || PyBytes_GET_SIZE(arguments[1]) != SIGNATURE)
        Py_RETURN_NONE;
    memcpy(digest, PyBytes_AS_STRING(arguments[0]), DIGEST);
    memcpy(signature, PyBytes_AS_STRING(arguments[1]), SIGNATURE);
    Py_BEGIN_ALLOW_THREADS
    is_found = find_key(digest, signature, key);
    Py_END_ALLOW_THREADS
    if (!is_found)
        Py_RETURN_NONE;
    hash_one(key + 1, KEY - 1, hash);
    return PyBytes_FromStringAndSize((char *)hash + DIGEST - ADDRESS, ADDRESS);
}

/* --- many ------------------------------------------------------------------------------------------------------------ */

enum { OPEN, SIGNED, UNSIGNED }; /* what is known of a message */

typedef struct {
    const uint8_t *message;
    size_t length;
    uint8_t signature[SIGNATURE];
    uint8_t is_malformed;
    uint8_t state; /* read and written atomically: the address is there before it says so */
    uint8_t address[ADDRESS];
} Entry;

typedef struct {
    PyObject_HEAD
    uint8_t prefix[PREFIX];
    PyObject *messages; /* a tuple of bytes, to which the entries point */
    Entry *entries;
    Py_ssize_t count;
    Py_ssize_t next; /* the first that nobody has begun with; counted up atomically */
} Signers;

/* Digests of the entries from `first` on, those of one length side by side. */
static void hash_group(const Signers *self, const Entry *entries, size_t count, uint8_t (*digests)[DIGEST])
{
    uint8_t outer[GROUP][PREFIX + DIGEST], is_done[GROUP] = {0};
    const uint8_t *messages[GROUP];
    uint8_t *hashes[GROUP];
    for (size_t first = 0; first < count; first++) {
        size_t alike = 0;
        for (size_t each = first; each < count; each++) {
            if (is_done[each] || entries[each].length != entries[first].length)
                continue;
            is_done[each] = 1;
            messages[alike] = entries[each].message;
            hashes[alike++] = outer[each] + PREFIX;
        }
        hash_many(messages, entries[first].length, alike, hashes);
    }
    for (size_t each = 0; each < count; each++) {
        memcpy(outer[each], self->prefix, PREFIX);
        messages[each] = outer[each];
        hashes[each] = digests[each];
    }
    hash_many(messages, PREFIX + DIGEST, count, hashes);
}

/* Take the next group; whether there was one. Without Python's lock. */
static int run_group(Signers *self)
{
    uint8_t digests[GROUP][DIGEST], keys[GROUP][KEY], is_found[GROUP];
    const uint8_t *messages[GROUP];
    uint8_t *hashes[GROUP];
    size_t found = 0;
    const Py_ssize_t first = __atomic_fetch_add(&self->next, GROUP, __ATOMIC_RELAXED);
    Py_ssize_t count = self->count - first;
    if (count <= 0)
        return 0;
    count = count < GROUP ? count : GROUP;
    hash_group(self, self->entries + first, (size_t)count, digests);
    for (Py_ssize_t each = 0; each < count; each++) {
        const Entry *entry = self->entries + first + each;
        is_found[each] = !entry->is_malformed && find_key(digests[each], entry->signature, keys[each]);
        if (is_found[each]) {
            messages[found] = keys[each] + 1;
            hashes[found++] = digests[each];
        }
    }
    hash_many(messages, KEY - 1, found, hashes);
    for (Py_ssize_t each = 0; each < count; each++) {
        Entry *entry = self->entries + first + each;
        memcpy(entry->address, digests[each] + DIGEST - ADDRESS, ADDRESS);
        __atomic_store_n(&entry->state, is_found[each] ? SIGNED : UNSIGNED, __ATOMIC_RELEASE);
    }
    return 1;
}

static PyObject *get(Signers *self, PyObject *number)
{
    const Py_ssize_t place = PyLong_AsSsize_t(number);
    Entry *entry;
    int state;
    if (place == -1 && PyErr_Occurred())
        return NULL;
    if (place < 0 || place >= self->count)
        return PyErr_Format(PyExc_IndexError, "no message %zd among %zd", place, self->count);
    entry = self->entries + place;
    state = __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
    if (state == OPEN) {
        int is_waiting = 0;
        Py_BEGIN_ALLOW_THREADS
        while ((state = __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE)) == OPEN && !is_waiting)
            is_waiting = !run_group(self);
        Py_END_ALLOW_THREADS
        while (state == OPEN) { /* another thread is at it, and will be done in a moment */
            const struct timespec moment = {0, 20000};
            Py_BEGIN_ALLOW_THREADS
            nanosleep(&moment, NULL);
            state = __atomic_load_n(&entry->state, __ATOMIC_ACQUIRE);
            Py_END_ALLOW_THREADS
        }
    }
    if (state == UNSIGNED)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((char *)entry->address, ADDRESS);
}

static PyObject *run(Signers *self, PyObject *unused)
{
    (void)unused;
    Py_BEGIN_ALLOW_THREADS
    while (run_group(self))
        ;
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *make(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *prefix, *messages, *signatures;
    Signers *self;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Signers takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "SOO", &prefix, &messages, &signatures))
        return NULL;
    if (PyBytes_GET_SIZE(prefix) != PREFIX)
        return PyErr_Format(PyExc_ValueError, "a prefix has %d bytes, not %zd", PREFIX, PyBytes_GET_SIZE(prefix));
    messages = PySequence_Tuple(messages);
    signatures = messages ? PySequence_Tuple(signatures) : NULL;
    self = signatures ? (Signers *)type->tp_alloc(type, 0) : NULL;
    if (self == NULL) {
        Py_XDECREF(messages);
        Py_XDECREF(signatures);
        return NULL;
    }
    self->messages = messages;
    memcpy(self->prefix, PyBytes_AS_STRING(prefix), PREFIX);
    if (PyTuple_GET_SIZE(messages) != PyTuple_GET_SIZE(signatures))
        PyErr_Format(PyExc_ValueError, "%zd messages, %zd signatures", PyTuple_GET_SIZE(messages), PyTuple_GET_SIZE(signatures));
    else if ((self->entries = PyMem_Calloc((size_t)PyTuple_GET_SIZE(messages) + 1, sizeof *self->entries)) == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t each = 0; !PyErr_Occurred() && each < PyTuple_GET_SIZE(messages); each++) {
        PyObject *message = PyTuple_GET_ITEM(messages, each), *signature = PyTuple_GET_ITEM(signatures, each);
        Entry *entry = self->entries + each;
        if (!PyBytes_Check(message) || !PyBytes_Check(signature)) {
            PyErr_SetString(PyExc_TypeError, "messages and signatures are bytes");
            break;
        }
        entry->message = (const uint8_t *)PyBytes_AS_STRING(message);
        entry->length = (size_t)PyBytes_GET_SIZE(message);
        entry->is_malformed = PyBytes_GET_SIZE(signature) != SIGNATURE;
        if (!entry->is_malformed)
            memcpy(entry->signature, PyBytes_AS_STRING(signature), SIGNATURE);
        self->count = each + 1;
    }
    Py_DECREF(signatures);
    if (PyErr_Occurred())
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void deallocate(Signers *self)
{
    Py_XDECREF(self->messages);
    PyMem_Free(self->entries);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"get", (PyCFunction)get, METH_O, "The signer of the message at `place`, or None."},
    {"run", (PyCFunction)run, METH_NOARGS, "Find all that nobody has begun with."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject SignersType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "setoff.shared.codec.recovery.Signers",
    .tp_doc = "Who signed each of many messages.",
    .tp_basicsize = sizeof(Signers),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = make,
    .tp_dealloc = (destructor)deallocate,
    .tp_methods = methods,
};

static PyMethodDef functions[] = {
    {"recover", (PyCFunction)(void (*)(void))recover, METH_FASTCALL, "20-byte address that signed a digest, or None."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "recovery", NULL, -1, functions, NULL, NULL, NULL, NULL};

/* Where a function of coincurve's library is. */
static void *find_function(PyObject *ffi, PyObject *library, const char *name)
{
    PyObject *pointer = PyObject_CallMethod(ffi, "addressof", "Os", library, name);
    PyObject *cast = pointer ? PyObject_CallMethod(ffi, "cast", "sO", "uintptr_t", pointer) : NULL;
    PyObject *number = cast ? PyNumber_Long(cast) : NULL;
    void *address = number ? PyLong_AsVoidPtr(number) : NULL;
    Py_XDECREF(pointer);
    Py_XDECREF(cast);
    Py_XDECREF(number);
    return address;
}

/* Find what is needed of coincurve; 0, or -1 with an ImportError. */
static int connect(void)
{
    PyObject *module = PyImport_ImportModule("coincurve._libsecp256k1");
    PyObject *ffi = module ? PyObject_GetAttrString(module, "ffi") : NULL;
    PyObject *library = ffi ? PyObject_GetAttrString(module, "lib") : NULL;
    PyObject *contexts = library ? PyImport_ImportModule("coincurve.context") : NULL;
    PyObject *shared = contexts ? PyObject_GetAttrString(contexts, "GLOBAL_CONTEXT") : NULL;
    PyObject *pointer, *cast, *number;
    context_holder = shared ? PyObject_GetAttrString(shared, "ctx") : NULL;
    pointer = context_holder;
    cast = pointer ? PyObject_CallMethod(ffi, "cast", "sO", "uintptr_t", pointer) : NULL;
    number = cast ? PyNumber_Long(cast) : NULL;
    if (number != NULL) {
        context = PyLong_AsVoidPtr(number);
        *(void **)&parse = find_function(ffi, library, "secp256k1_ecdsa_recoverable_signature_parse_compact");
        if (parse != NULL)
            *(void **)&recover_key = find_function(ffi, library, "secp256k1_ecdsa_recover");
        if (recover_key != NULL)
            *(void **)&serialize = find_function(ffi, library, "secp256k1_ec_pubkey_serialize");
    }
    Py_XDECREF(module);
    Py_XDECREF(ffi);
    Py_XDECREF(library);
    Py_XDECREF(contexts);
    Py_XDECREF(shared);
    Py_XDECREF(cast);
    Py_XDECREF(number);
    if (context != NULL && serialize != NULL)
        return 0;
    PyErr_Clear();
    PyErr_SetString(PyExc_ImportError, "this coincurve does not tell where its functions are");
    return -1;
}

PyMODINIT_FUNC PyInit_recovery(void)
{
    PyObject *module;
    choose_keccak(MAX_WIDTH);
    if (connect() < 0 || PyType_Ready(&SignersType) < 0 || (module = PyModule_Create(&definition)) == NULL)
        return NULL;
    if (PyModule_AddObjectRef(module, "Signers", (PyObject *)&SignersType) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
