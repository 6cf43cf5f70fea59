// What the parts of the addon share: the classes of this environment, and each part's exports.
#ifndef BPF_LOADER_ADDON_H
#define BPF_LOADER_ADDON_H

#include <napi.h>

/* One an environment (main thread or worker). */
struct AddonData {
	Napi::FunctionReference fd_class;
	Napi::FunctionReference object_class;
	Napi::FunctionReference ring_class;
};

void export_map(Napi::Env env, Napi::Object exports);
void export_map_batch(Napi::Env env, Napi::Object exports);
void export_mapping(Napi::Env env, Napi::Object exports);
void export_program(Napi::Env env, Napi::Object exports);
void export_test_run(Napi::Env env, Napi::Object exports);
void export_link(Napi::Env env, Napi::Object exports);
void export_tc(Napi::Env env, Napi::Object exports);
void export_netns(Napi::Env env, Napi::Object exports);
void export_btf(Napi::Env env, Napi::Object exports);
void export_files(Napi::Env env, Napi::Object exports);
void export_system(Napi::Env env, Napi::Object exports);

#endif
