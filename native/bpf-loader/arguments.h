// Reading JavaScript arguments: numbers, strings and octets.
#ifndef BPF_LOADER_ARGUMENTS_H
#define BPF_LOADER_ARGUMENTS_H

#include <napi.h>

#include <cstdint>
#include <string>

struct Octets {
	uint8_t *data = nullptr;
	size_t size = 0;
};

inline int int_argument(const Napi::CallbackInfo &info, size_t index)
{
	return info[index].IsNumber() ? info[index].As<Napi::Number>().Int32Value() : -1;
}

inline uint32_t u32_argument(const Napi::CallbackInfo &info, size_t index)
{
	return info[index].IsNumber() ? info[index].As<Napi::Number>().Uint32Value() : 0;
}

inline std::string string_argument(const Napi::CallbackInfo &info, size_t index)
{
	return info[index].IsString() ? info[index].As<Napi::String>().Utf8Value() : std::string();
}

inline Octets octets_of(const Napi::Value &value)
{
	Octets octets;

	if (value.IsTypedArray()) {
		Napi::TypedArray array = value.As<Napi::TypedArray>();
		octets.data =
			static_cast<uint8_t *>(array.ArrayBuffer().Data()) + array.ByteOffset();
		octets.size = array.ByteLength();
	}
	return octets;
}

inline Octets octets_argument(const Napi::CallbackInfo &info, size_t index)
{
	return octets_of(info[index]);
}

inline Napi::Uint8Array to_uint8array(Napi::Env env, const void *data, size_t size)
{
	Napi::Uint8Array array = Napi::Uint8Array::New(env, size);

	if (size)
		memcpy(array.Data(), data, size);
	return array;
}

#endif
