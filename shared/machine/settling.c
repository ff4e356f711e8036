/* Funding that is due to many accounts at once. Twin of settling.py, where modules are compiled. Of rules/marks.py's
 * settle_funding it does to the bytes of leaves what that does to their fields. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define MAX_MARKETS 256
#define FUNDING 16    /* bytes of a funding index */
#define COLLATERAL 32 /* bytes of an account's collateral */

typedef __int128 Wide;

/* Where in a leaf things are; read off the layouts when this module is loaded. */
static Py_ssize_t collateral_at, first_position, position_size, leaf_size, market_at, size_at, funding_at;
static Py_ssize_t funding_bits; /* what a funding index counts is in units of 2^-funding_bits */

static uint64_t read_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static void write_word(uint8_t *bytes, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(bytes, &word, 8);
}

static Wide read_wide(const uint8_t *bytes)
{
    return (Wide)((unsigned __int128)read_word(bytes) << 64 | read_word(bytes + 8));
}

static void write_wide(uint8_t *bytes, Wide number)
{
    write_word(bytes, (uint64_t)((unsigned __int128)number >> 64));
    write_word(bytes + 8, (uint64_t)number);
}

static PyObject *make_integer(Wide number)
{
    PyObject *high = PyLong_FromLongLong((int64_t)((unsigned __int128)number >> 64)), *bits = PyLong_FromLong(64);
    PyObject *low = PyLong_FromUnsignedLongLong((uint64_t)number), *result = NULL, *shifted = NULL;
    if (high != NULL && low != NULL && bits != NULL && (shifted = PyNumber_Lshift(high, bits)) != NULL)
        result = PyNumber_Or(shifted, low);
    Py_XDECREF(high);
    Py_XDECREF(low);
    Py_XDECREF(bits);
    Py_XDECREF(shifted);
    return result;
}

/* A Python integer that fits into 128 bits. */
static int read_integer(PyObject *number, Wide *result)
{
    PyObject *bits = PyLong_FromLong(64), *shifted = bits && PyLong_Check(number) ? PyNumber_Rshift(number, bits) : NULL;
    const long long high = shifted ? PyLong_AsLongLong(shifted) : -1;
    Py_XDECREF(bits);
    Py_XDECREF(shifted);
    if (!PyErr_Occurred() && shifted == NULL)
        PyErr_SetString(PyExc_TypeError, "a funding index is a number");
    if (PyErr_Occurred())
        return -1;
    *result = (Wide)((unsigned __int128)(uint64_t)high << 64 | PyLong_AsUnsignedLongLongMask(number));
    return 0;
}

/* 0, or -1 where numbers are larger than they may be. */
static int settle_leaf(uint8_t *leaf, const Wide *funding, Wide *paid, Py_ssize_t markets)
{
    uint8_t *money = leaf + collateral_at;
    Wide collateral = read_wide(money + COLLATERAL - FUNDING), due;
    const uint8_t sign = collateral < 0 ? 0xFF : 0;
    for (int at = 0; at < COLLATERAL - FUNDING; at++)
        if (money[at] != sign)
            return -1;
    for (uint8_t *position = leaf + first_position; position < leaf + leaf_size; position += position_size) {
        const int market = position[market_at] << 8 | position[market_at + 1];
        if (market == 0)
            continue;
        if (market >= markets || __builtin_sub_overflow(funding[market], read_wide(position + funding_at), &due) ||
            due != (int64_t)due)
            return -1;
        due = -(-((Wide)(int64_t)read_word(position + size_at) * due) >> funding_bits); /* rounded up */
        if (__builtin_sub_overflow(collateral, due, &collateral) || __builtin_add_overflow(paid[market], due, paid + market))
            return -1;
        write_wide(position + funding_at, funding[market]);
    }
    memset(money, collateral < 0 ? 0xFF : 0, COLLATERAL - FUNDING);
    write_wide(money + COLLATERAL - FUNDING, collateral);
    return 0;
}

/* Add to the markets' pools what was paid. */
static int fill_pools(PyObject *markets, const Wide *paid)
{
    for (Py_ssize_t market = 0; market < PyTuple_GET_SIZE(markets); market++) {
        PyObject *leaf = PyTuple_GET_ITEM(markets, market), *pool, *more, *sum;
        int failed;
        if (paid[market] == 0)
            continue;
        pool = PyObject_GetAttrString(leaf, "pool");
        more = make_integer(paid[market]);
        sum = pool != NULL && more != NULL ? PyNumber_Add(pool, more) : NULL;
        failed = sum == NULL || PyObject_SetAttrString(leaf, "pool", sum) < 0;
        Py_XDECREF(pool);
        Py_XDECREF(more);
        Py_XDECREF(sum);
        if (failed)
            return -1;
    }
    return 0;
}

static PyObject *settle_all(PyObject *values, PyObject *markets)
{
    Wide funding[MAX_MARKETS], paid[MAX_MARKETS] = {0};
    const Py_ssize_t count = PyTuple_GET_SIZE(markets);
    PyObject *found;
    if (count > MAX_MARKETS)
        return PyErr_Format(PyExc_ValueError, "%zd markets are too many", count);
    for (Py_ssize_t market = 0; market < count; market++) {
        PyObject *index = PyObject_GetAttrString(PyTuple_GET_ITEM(markets, market), "funding");
        const int failed = index == NULL || read_integer(index, funding + market) < 0;
        Py_XDECREF(index);
        if (failed)
            return NULL;
    }
    found = PyList_New(PyTuple_GET_SIZE(values));
    for (Py_ssize_t place = 0; found != NULL && place < PyTuple_GET_SIZE(values); place++) {
        PyObject *value = PyTuple_GET_ITEM(values, place), *after = NULL;
        if (!PyBytes_Check(value) || PyBytes_GET_SIZE(value) != leaf_size)
            PyErr_Format(PyExc_ValueError, "an account has %zd bytes", leaf_size);
        else if ((after = PyBytes_FromStringAndSize(PyBytes_AS_STRING(value), leaf_size)) != NULL) {
            PyList_SET_ITEM(found, place, after);
            if (settle_leaf((uint8_t *)PyBytes_AS_STRING(after), funding, paid, count) < 0)
                PyErr_SetString(PyExc_OverflowError, "an account or a market has larger numbers than can be settled here");
        }
        if (PyErr_Occurred())
            Py_CLEAR(found);
    }
    if (found != NULL && fill_pools(markets, paid) < 0)
        Py_CLEAR(found);
    return found;
}

static PyObject *settle(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *values, *markets, *found = NULL;
    (void)module;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "settle takes values and markets");
    values = PySequence_Tuple(arguments[0]);
    markets = values ? PySequence_Tuple(arguments[1]) : NULL;
    if (markets != NULL)
        found = settle_all(values, markets);
    Py_XDECREF(values);
    Py_XDECREF(markets);
    return found;
}

static PyMethodDef functions[] = {
    {"settle", (PyCFunction)(void (*)(void))settle, METH_FASTCALL, "Leaves of accounts after they have paid what is due."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "settling", NULL, -1, functions, NULL, NULL, NULL, NULL};

/* The number that an expression in Python gives, or -1. */
static Py_ssize_t look_up(PyObject *names, const char *expression)
{
    PyObject *value = PyRun_String(expression, Py_eval_input, names, names);
    const Py_ssize_t number = value ? PyLong_AsSsize_t(value) : -1;
    Py_XDECREF(value);
    return number;
}

PyMODINIT_FUNC PyInit_settling(void)
{
    PyObject *leaves = PyImport_ImportModule("setoff.shared.state.leaves");
    PyObject *phases = leaves ? PyImport_ImportModule("setoff.shared.rules.phases") : NULL;
    PyObject *names = phases ? Py_BuildValue("{sOsO}", "leaves", leaves, "phases", phases) : NULL;
    if (names != NULL) {
        collateral_at = look_up(names, "leaves.ACCOUNT.offsets['collateral']");
        first_position = look_up(names, "leaves.ACCOUNT.size");
        leaf_size = look_up(names, "leaves.ACCOUNT_BYTES");
        position_size = look_up(names, "leaves.POSITION.size");
        market_at = look_up(names, "leaves.POSITION.offsets['market']");
        size_at = look_up(names, "leaves.POSITION.offsets['size']");
        funding_at = look_up(names, "leaves.POSITION.offsets['funding']");
        funding_bits = look_up(names, "phases.FUNDING_ONE.bit_length() - 1");
    }
    Py_XDECREF(leaves);
    Py_XDECREF(phases);
    Py_XDECREF(names);
    return PyErr_Occurred() ? NULL : PyModule_Create(&definition);
}
