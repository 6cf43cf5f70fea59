// A BPF object file: opened, adjusted, loaded; hands out its maps and programs.
#ifndef BPF_LOADER_OBJECT_H
#define BPF_LOADER_OBJECT_H

#include <bpf/libbpf.h>
#include <napi.h>

#include <vector>

class Object : public Napi::ObjectWrap<Object> {
public:
	static Napi::Function define(Napi::Env env);

	explicit Object(const Napi::CallbackInfo &info);
	~Object() override;

private:
	Napi::Value initial_value(const Napi::CallbackInfo &info);
	Napi::Value set_initial_value(const Napi::CallbackInfo &info);
	Napi::Value set_max_entries(const Napi::CallbackInfo &info);
	Napi::Value set_inner_max_entries(const Napi::CallbackInfo &info);
	Napi::Value reuse_map(const Napi::CallbackInfo &info);
	Napi::Value disable_program(const Napi::CallbackInfo &info);
	Napi::Value names(const Napi::CallbackInfo &info);
	Napi::Value load(const Napi::CallbackInfo &info);
	Napi::Value map(const Napi::CallbackInfo &info);
	Napi::Value program(const Napi::CallbackInfo &info);
	Napi::Value layout(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	struct bpf_map *find_map(const Napi::CallbackInfo &info);
	struct bpf_program *find_program(const Napi::CallbackInfo &info);

	void release(void);

	struct bpf_object *object = nullptr;
	std::vector<int> templates; /* descriptors that libbpf looks at in load() */
};

#endif
