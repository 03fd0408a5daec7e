/* What Swift cannot see of libssh2: its function-like macros, and callbacks that must be C functions. */
#ifndef CF_BENCH_CSSH2_SHIM_H
#define CF_BENCH_CSSH2_SHIM_H

#include <errno.h>
#include <libssh2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Stands between the socket and libssh2. libssh2 asks for 16 KiB at a time and reads until the socket is empty before it
 * hands out a single byte; here one recv() fetches up to `capacity`, and `budget` ends each of its calls after that many bytes.
 */
typedef struct {
  unsigned char *bytes;
  size_t capacity;
  size_t head;
  size_t tail;
  /* Bytes that the call now running may still have. */
  size_t budget;
  /* The call now running has had at least one byte. */
  bool call_had_bytes;
  /* A call was told to come again although the socket may hold more. */
  bool come_again;
  /* Bytes from the socket, and of those the ones that libssh2 has taken, since the beginning. */
  uint64_t received;
  uint64_t handed_over;
  /* The first bytes of the connection, in the clear: banner and algorithm lists, to explain a failed handshake. */
  unsigned char opening[4096];
  size_t opening_count;
} cssh2_receiver;

static inline cssh2_receiver *cssh2_receiver_new(size_t capacity) {
  cssh2_receiver *receiver = calloc(1, sizeof *receiver);
  if (!receiver) return NULL;
  receiver->bytes = malloc(capacity);
  if (!receiver->bytes) {
    free(receiver);
    return NULL;
  }
  receiver->capacity = capacity;
  return receiver;
}

static inline void cssh2_receiver_free(cssh2_receiver *receiver) {
  free(receiver->bytes);
  free(receiver);
}

/* To be called before each libssh2 call that may read. */
static inline void cssh2_receiver_begin_call(cssh2_receiver *receiver, size_t budget) {
  receiver->budget = budget;
  receiver->call_had_bytes = false;
  receiver->come_again = false;
}

static inline const unsigned char *cssh2_receiver_opening(const cssh2_receiver *receiver) { return receiver->opening; }

static inline ssize_t cssh2_come_again(cssh2_receiver *receiver) {
  receiver->come_again = true;
  return -EAGAIN;
}

static inline ssize_t cssh2_receive(libssh2_socket_t fd, void *target, size_t length, int flags, void **abstract) {
  cssh2_receiver *receiver = *abstract;
  if (receiver->budget == 0) return cssh2_come_again(receiver);
  if (receiver->head == receiver->tail) {
    ssize_t count = recv(fd, receiver->bytes, receiver->capacity, flags);
    int code = errno;
    bool over = count == 0 || (count < 0 && code != EAGAIN && code != EWOULDBLOCK && code != EINTR);
    /* A lost connection fails the whole libssh2 call, and with it the data that the call has just decrypted: tell the next one. */
    if (over && receiver->call_had_bytes) return cssh2_come_again(receiver);
    if (count <= 0) return count == 0 ? 0 : (code == EINTR || code == EWOULDBLOCK) ? -EAGAIN : -code;
    receiver->head = 0;
    receiver->tail = (size_t)count;
    receiver->received += (uint64_t)count;
    size_t room = sizeof receiver->opening - receiver->opening_count;
    size_t kept = (size_t)count < room ? (size_t)count : room;
    memcpy(receiver->opening + receiver->opening_count, receiver->bytes, kept);
    receiver->opening_count += kept;
  }
  size_t count = receiver->tail - receiver->head;
  if (count > length) count = length;
  if (count > receiver->budget) count = receiver->budget;
  memcpy(target, receiver->bytes + receiver->head, count);
  receiver->head += count;
  receiver->budget -= count;
  receiver->handed_over += count;
  receiver->call_had_bytes = true;
  return (ssize_t)count;
}

/* A session that reads through `receiver`; libssh2_session_init is a macro. */
static inline LIBSSH2_SESSION *cssh2_session_new(cssh2_receiver *receiver) {
  LIBSSH2_SESSION *session = libssh2_session_init_ex(NULL, NULL, NULL, receiver);
  if (!session) return NULL;
  libssh2_session_set_blocking(session, 0);
#if LIBSSH2_VERSION_NUM >= 0x010b01
  libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)cssh2_receive);
#else
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)cssh2_receive);
#endif
  return session;
}

/*
 * A signature that comes from elsewhere (ssh-agent). libssh2 asks for it in a callback and accepts "would block": the first
 * call leaves here what is to be signed, and a later call finds the signature.
 */
typedef struct {
  unsigned char *data;
  size_t data_count;
  unsigned char *signature;
  size_t signature_count;
} cssh2_signature_slot;

static inline int cssh2_sign(LIBSSH2_SESSION *session, unsigned char **signature, size_t *signature_count,
                             const unsigned char *data, size_t data_count, void **abstract) {
  (void)session;
  cssh2_signature_slot *slot = *abstract;
  if (slot->signature) {
    /* libssh2 frees it with the allocator of the session, which is malloc's. */
    *signature = slot->signature;
    *signature_count = slot->signature_count;
    slot->signature = NULL;
    return 0;
  }
  free(slot->data);
  slot->data = malloc(data_count);
  if (!slot->data) return LIBSSH2_ERROR_ALLOC;
  memcpy(slot->data, data, data_count);
  slot->data_count = data_count;
  return LIBSSH2_ERROR_EAGAIN;
}

static inline cssh2_signature_slot *cssh2_signature_slot_new(void) { return calloc(1, sizeof(cssh2_signature_slot)); }

static inline void cssh2_signature_slot_free(cssh2_signature_slot *slot) {
  free(slot->data);
  free(slot->signature);
  free(slot);
}

/* Proves to own the private half of `key` with the signature that `slot` gets. */
static inline int cssh2_authenticate_signed(LIBSSH2_SESSION *session, const char *user, const unsigned char *key,
                                            size_t key_count, cssh2_signature_slot **slot) {
  return libssh2_userauth_publickey(session, user, key, key_count, cssh2_sign, (void **)slot);
}

#endif
