/* Keccak-256. Twin of hashing.py, where modules are compiled; the functions say there what they do. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "keccak.h"

static PyObject *keccak(PyObject *module, PyObject *data)
{
    Py_buffer view;
    uint8_t digest[DIGEST];
    (void)module;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    hash_one(view.buf, (size_t)view.len, digest);
    PyBuffer_Release(&view);
    return PyBytes_FromStringAndSize((char *)digest, DIGEST);
}

static PyObject *hash_pair(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    uint8_t pair[2 * DIGEST], digest[DIGEST];
    (void)module;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "hash_pair takes 2 nodes, not %zd", count);
    for (int side = 0; side < 2; side++) {
        PyObject *node = arguments[side];
        if (!PyBytes_Check(node) || PyBytes_GET_SIZE(node) != DIGEST) { /* what is longer is hashed as well */
            PyObject *joined, *result;
            if (!PyBytes_Check(arguments[0]) || !PyBytes_Check(arguments[1]))
                return PyErr_Format(PyExc_TypeError, "a node is bytes");
            joined = PySequence_Concat(arguments[0], arguments[1]);
            if (joined == NULL)
                return NULL;
            result = keccak(module, joined);
            Py_DECREF(joined);
            return result;
        }
        memcpy(pair + side * DIGEST, PyBytes_AS_STRING(node), DIGEST);
    }
    hash_one(pair, sizeof pair, digest);
    return PyBytes_FromStringAndSize((char *)digest, DIGEST);
}

static PyObject *keccak_all(PyObject *module, PyObject *given)
{
    enum { AT_ONCE = 64 };
    PyObject *messages = PySequence_Tuple(given), *digests;
    Py_ssize_t count, at, end;
    (void)module;
    if (messages == NULL)
        return NULL;
    count = PyTuple_GET_SIZE(messages);
    digests = PyList_New(count);
    for (at = 0; digests != NULL && at < count; at++) {
        PyObject *digest = NULL;
        if (!PyBytes_Check(PyTuple_GET_ITEM(messages, at)))
            PyErr_SetString(PyExc_TypeError, "a message is bytes");
        else if ((digest = PyBytes_FromStringAndSize(NULL, DIGEST)) != NULL)
            PyList_SET_ITEM(digests, at, digest);
        if (digest == NULL)
            Py_CLEAR(digests);
    }
    for (at = 0; digests != NULL && at < count; at = end) {
        const Py_ssize_t length = PyBytes_GET_SIZE(PyTuple_GET_ITEM(messages, at));
        const uint8_t *from[AT_ONCE];
        uint8_t *to[AT_ONCE];
        for (end = at; end < count && end < at + AT_ONCE; end++) {
            if (PyBytes_GET_SIZE(PyTuple_GET_ITEM(messages, end)) != length)
                break;
            from[end - at] = (const uint8_t *)PyBytes_AS_STRING(PyTuple_GET_ITEM(messages, end));
            to[end - at] = (uint8_t *)PyBytes_AS_STRING(PyList_GET_ITEM(digests, end));
        }
        hash_many(from, (size_t)length, (size_t)(end - at), to);
    }
    Py_DECREF(messages);
    return digests;
}

static PyObject *hash_pairs(PyObject *module, PyObject *layer)
{
    enum { AT_ONCE = 64 };
    PyObject *above;
    const uint8_t *from;
    uint8_t *to;
    Py_ssize_t pairs;
    (void)module;
    if (!PyBytes_Check(layer))
        return PyErr_Format(PyExc_TypeError, "a layer is bytes");
    if (PyBytes_GET_SIZE(layer) % (2 * DIGEST))
        return PyErr_Format(PyExc_ValueError, "a layer of %zd bytes is no row of pairs", PyBytes_GET_SIZE(layer));
    pairs = PyBytes_GET_SIZE(layer) / (2 * DIGEST);
    above = PyBytes_FromStringAndSize(NULL, pairs * DIGEST);
    if (above == NULL)
        return NULL;
    from = (const uint8_t *)PyBytes_AS_STRING(layer);
    to = (uint8_t *)PyBytes_AS_STRING(above);
    for (Py_ssize_t at = 0; at < pairs; at += AT_ONCE) {
        const uint8_t *messages[AT_ONCE];
        uint8_t *digests[AT_ONCE];
        const Py_ssize_t count = pairs - at < AT_ONCE ? pairs - at : AT_ONCE;
        for (Py_ssize_t each = 0; each < count; each++) {
            messages[each] = from + (at + each) * 2 * DIGEST;
            digests[each] = to + (at + each) * DIGEST;
        }
        hash_many(messages, 2 * DIGEST, (size_t)count, digests);
    }
    return above;
}

/* For tests: how many messages are hashed side by side; and at most so many from now on. */
static PyObject *limit_width(PyObject *module, PyObject *widest)
{
    const size_t width = PyLong_AsSize_t(widest);
    (void)module;
    if (PyErr_Occurred())
        return NULL;
    choose_keccak(width);
    return PyLong_FromSize_t(side_by_side);
}

static PyMethodDef functions[] = {
    {"keccak", keccak, METH_O, "The 32-byte Keccak-256 digest of `data`."},
    {"hash_pair", (PyCFunction)(void (*)(void))hash_pair, METH_FASTCALL, "keccak(left, right)."},
    {"keccak_all", keccak_all, METH_O, "The digests of messages."},
    {"hash_pairs", hash_pairs, METH_O, "The layer above one of 32-byte nodes."},
    {"_limit_width", limit_width, METH_O, "At most so many messages side by side; how many there are."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "hashing", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_hashing(void)
{
    choose_keccak(MAX_WIDTH);
    return PyModule_Create(&definition);
}
