# The addons: bpf-loader (on the system's libbpf), node-netlink (on libmnl), udp-batch (system
# calls alone), dtls (on the OpenSSL that Node brings).
{
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17"],
    "cflags_cc": ["-std=gnu++20", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-fvisibility=hidden"],
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
    # Swallow: a worker that is being ended takes no exception, and without that the process would
    # be ended too. It happens when something is to be handed over in that very moment.
    "defines": [
      "NAPI_VERSION=8",
      "NAPI_DISABLE_CPP_EXCEPTIONS",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
      "_GNU_SOURCE"
    ],
    # A thread may still be in a system call when a worker that used the addon ends.
    "ldflags": ["-Wl,-z,nodelete"]
  },
  "targets": [
    {
      "target_name": "bpf-loader",
      "sources": [
        "bpf-loader/addon.cc",
        "bpf-loader/btf.cc",
        "bpf-loader/failure.cc",
        "bpf-loader/fd.cc",
        "bpf-loader/files.cc",
        "bpf-loader/link.cc",
        "bpf-loader/map.cc",
        "bpf-loader/map_batch.cc",
        "bpf-loader/map_info.cc",
        "bpf-loader/mapping.cc",
        "bpf-loader/netns.cc",
        "bpf-loader/object.cc",
        "bpf-loader/print.cc",
        "bpf-loader/program.cc",
        "bpf-loader/ring.cc",
        "bpf-loader/system.cc",
        "bpf-loader/tc.cc",
        "bpf-loader/tc_dump.cc",
        "bpf-loader/test_run.cc",
        "bpf-loader/thread_job.cc",
        "bpf-loader/thread_state.cc"
      ],
      "cflags": ["<!@(pkg-config --cflags libbpf)"],
      "libraries": ["<!@(pkg-config --libs libbpf)"]
    },
    {
      "target_name": "node-netlink",
      "sources": [
        "node-netlink/addon.cc",
        "node-netlink/batch_queue.cc",
        "node-netlink/control.cc",
        "node-netlink/failure.cc",
        "node-netlink/genl_socket.cc",
        "node-netlink/reader.cc",
        "node-netlink/receiver.cc",
        "node-netlink/thread.cc"
      ],
      "cflags": ["<!@(pkg-config --cflags libmnl)"],
      "libraries": ["<!@(pkg-config --libs libmnl)"]
    },
    {
      "target_name": "udp-batch",
      "sources": ["udp-batch/connection.cc", "udp-batch/datagrams.cc", "udp-batch/udp_batch.cc"]
    },
    {
      # OpenSSL is the node process's own: its headers come with Node's, no library is linked.
      "target_name": "dtls",
      "sources": [
        "dtls/addon.cc",
        "dtls/channel.cc",
        "dtls/context.cc",
        "dtls/datagram_bio.cc",
        "dtls/failure.cc",
        "dtls/openssl.cc",
        "dtls/session.cc",
        "dtls/socket_watch.cc",
        "udp-batch/connection.cc",
        "udp-batch/datagrams.cc"
      ]
    }
  ]
}
