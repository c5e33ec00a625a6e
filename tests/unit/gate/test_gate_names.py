"""Models' names as services and files spell them, and the dialect of each.

With a publisher, a size, a quantisation, a date, a price or a provider around them.
"""

import pytest

from tui.models.gate import dialect_of_name

NAMES = {
    "hermes": (
        "Qwen/Qwen3-32B qwen/qwen3-8b:free Qwen3-30B-A3B-Instruct-2507-GGUF "
        "qwen2.5:7b-instruct-q4_K_M "
        "unsloth/Qwen3-4B-Thinking-2507-UD-Q4_K_XL.gguf "
        "NousResearch/Hermes-3-Llama-3.1-70B nousresearch/hermes-4-405b "
        "qwen/qwq-32b:free accounts/fireworks/models/qwen3-235b-a22b "
        "Qwen/Qwen2.5-VL-72B-Instruct-AWQ qwen3:latest "
        "ibm-granite/granite-4.0-h-small granite4:micro-h "
        "speakleash/Bielik-11B-v2.6-Instruct /models/Qwen3-8B-Q4_K_M.gguf "
        "kolibri-1"
    ),
    "qwen3_coder": (
        "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8 qwen3-coder:30b "
        "qwen/qwen3-coder:free qwen3-coder-plus-2025-09-23 "
        "Qwen/Qwen3.5-397B-A17B Qwen3.6-35B-A3B-UD-IQ4_XS "
        "nvidia/nemotron-3-nano-30b-a3b:free "
        "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8 stepfun-ai/Step-3.5-Flash "
        "stepfun/step-3.7-flash XiaomiMiMo/MiMo-V2-Flash "
        "xiaomi/mimo-v2-flash:free mimo-v2.5-pro"
    ),
    "glm45": (
        "zai-org/GLM-4.6-FP8 z-ai/glm-4.5-air:free glm-4.7-flash GLM-5-AWQ "
        "glm-5.2 cerebras/zai-glm-4.7 inclusionAI/Ling-3.0-flash "
        "poolside/Laguna-XS.2 accounts/fireworks/models/glm-4p6 glm4.7 "
        "iflytek/Spark-2.5 spark3 hf.co/unsloth/GLM-4.6-GGUF:Q4_K_M"
    ),
    "glm4": (
        "THUDM/glm-4-9b-chat glm4:9b THUDM/GLM-4-32B-0414 thudm/glm-4-32b:free "
        "THUDM/chatglm3-6b GLM-Z1-32B-0414"
    ),
    "deepseek_v3": (
        "deepseek-ai/DeepSeek-V3-0324 deepseek/deepseek-chat-v3-0324:free "
        "deepseek-r1:671b deepseek/deepseek-r1-0528:free DeepSeek-V3-UD-Q2_K_XL "
        "deepseek.v3-v1:0 deepseek-r1-distill-qwen-7b"
    ),
    "deepseek_v31": (
        "deepseek-ai/DeepSeek-V3.1-Terminus deepseek/deepseek-chat-v3.1:free "
        "deepseek-v3.1:671b-cloud deepseek-ai/DeepSeek-V3.2-Exp "
        "accounts/fireworks/models/deepseek-v3p1"
    ),
    "deepseek_v32": (
        "deepseek-ai/DeepSeek-V3.2 deepseek/deepseek-v3.2 deepseek-v3.2:cloud "
        "deepseek/deepseek-v3.2-speciale"
    ),
    "deepseek_v4": "deepseek-v4-flash deepseek-v4-pro deepseek-ai/DeepSeek-V4",
    "deepseek_v41": "deepseek-v4.1 deepseek-ai/DeepSeek-V4.1-Flash",
    "kimi_k2": (
        "moonshotai/Kimi-K2-Instruct-0905 moonshotai/kimi-k2:free "
        "kimi-k2-thinking-turbo kimi-k2.5 moonshotai/Kimi-K2.7-Code "
        "kimi-k2:1t-cloud kimi-k2-0711-preview "
        "accounts/fireworks/models/kimi-k2-instruct "
        "moonshotai/Kimi-VL-A3B-Thinking-2506 "
        "accounts/fireworks/models/kimi-k2p5 moonshotai/Kimi-K2-Instruct:novita"
    ),
    "kimi_k3": "moonshotai/Kimi-K3 kimi-k3-high",
    "harmony": (
        "openai/gpt-oss-120b gpt-oss:20b openai/gpt-oss-20b:free "
        "gpt-oss-120b-MXFP4 unsloth/gpt-oss-20b-GGUF openai.gpt-oss-120b-1:0"
    ),
    "mistral_args": (
        "mistralai/Mistral-Small-3.2-24B-Instruct-2506 mistral-small-latest "
        "mistralai/devstral-2512:free devstral-small-2:24b "
        "magistral-medium-2509 ministral-3:8b mistral-large-3 "
        "mistral-medium-2508 mistral-large-2512 codestral-2508"
    ),
    "mistral_list": (
        "mistralai/Mistral-7B-Instruct-v0.3 open-mistral-nemo mistral-nemo:12b "
        "mixtral:8x22b mistral-large-2407 mistralai/Mixtral-8x7B-Instruct-v0.1"
    ),
    "llama3_json": (
        "meta-llama/Llama-3.3-70B-Instruct llama3.2:3b llama-3.3-70b-versatile "
        "meta-llama/llama-3.3-70b-instruct:free llama3.1-8b "
        "Meta-Llama-3.1-405B-Instruct-Turbo "
        "accounts/fireworks/models/llama-v3p3-70b-instruct "
        "meta.llama3-3-70b-instruct-v1:0 "
        "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
    ),
    "llama_pythonic": (
        "meta-llama/llama-4-maverick:free Llama-4-Scout-17B-16E-Instruct llama4:scout"
    ),
    "minimax_m2": (
        "MiniMaxAI/MiniMax-M2.5 minimax/minimax-m2:free minimax-m2.7-highspeed "
        "minimax-m2.1:cloud"
    ),
    "minimax_m3": "MiniMaxAI/MiniMax-M3 minimax-m3",
    "minimax_m1": "MiniMaxAI/MiniMax-M1-80k",
    "command": (
        "CohereLabs/c4ai-command-a-03-2025 command-a-03-2025 "
        "command-r7b-12-2024 cohere/command-a command-a-reasoning-08-2025 "
        "command-a-plus"
    ),
    "command_r": "CohereForAI/c4ai-command-r-plus-08-2024 command-r:35b",
    "gemma4": (
        "google/gemma-4-31b-it gemma4:27b google/gemma-4-26b-a4b-it:free "
        "unsloth/gemma-4-E4B-it-GGUF"
    ),
    "functiongemma": "functiongemma:270m google/functiongemma-270m-it",
    "granite3": (
        "ibm-granite/granite-3.3-8b-instruct granite3.2:8b granite3-dense "
        "granite-3-8b-instruct"
    ),
    "granite20b": "ibm-granite/granite-20b-functioncalling",
    "lfm2": ("LiquidAI/LFM2-8B-A1B lfm2.5-thinking LiquidAI/LFM2.5-1.2B-Instruct-GGUF"),
    "seed_oss": "ByteDance-Seed/Seed-OSS-36B-Instruct seed-oss:36b",
    "olmo3": "allenai/Olmo-3-32B-Think allenai/olmo-3.1-32b-instruct",
    "longcat": "meituan-longcat/LongCat-Flash-Chat meituan/longcat-flash-chat:free",
    "hunyuan_a13b": "tencent/Hunyuan-A13B-Instruct tencent/hunyuan-a13b-instruct:free",
    "hunyuan_v3": "tencent/Hy3-preview tencent/hy3-preview:free hunyuan-v3",
    "hunyuan_v4": "tencent/Hunyuan-V4 tencent/Hy4",
    "ernie45": "baidu/ERNIE-4.5-21B-A3B-Thinking baidu/ernie-4.5-300b-a47b",
    "internlm2": "internlm/internlm3-8b-instruct internlm2.5 internlm/Intern-S1",
    "jamba": "ai21labs/AI21-Jamba-Mini-1.7 ai21/jamba-large-1.7",
    "nemotron_v2": (
        "nvidia/NVIDIA-Nemotron-Nano-9B-v2 nvidia/nemotron-nano-9b-v2:free "
        "nvidia/nemotron-nano-12b-v2-vl:free"
    ),
    "phi4mini": "microsoft/Phi-4-mini-instruct phi4-mini:3.8b",
    "apertus": "swiss-ai/Apertus-70B-Instruct-2509",
    "step3": "stepfun-ai/step3 stepfun/step-3",
    "xlam": "Salesforce/Llama-xLAM-2-8b-fc-r xLAM-2-32b-fc-r",
    "exaone": (
        "LGAI-EXAONE/EXAONE-4.0-32B exaone-deep:7.8b LGAI-EXAONE/K-EXAONE-236B-A23B"
    ),
    "smollm": "HuggingFaceTB/SmolLM3-3B smollm2:1.7b",
    "solar_open": "upstage/Solar-Open-100B upstage/solar-open-100b",
    "solar_open2": "upstage/Solar-Open2-250B",
    "minicpm5": "openbmb/MiniCPM5-1B",
    "minicpm4": "openbmb/MiniCPM4.1-8B openbmb/MiniCPM3-4B",
    "apriel": "ServiceNow-AI/Apriel-1.6-15b-Thinker",
    "gigachat3": "ai-sage/GigaChat3-702B-A36B-preview",
    "gigachat35": "ai-sage/GigaChat3.5-10B",
    "functionary_v32": "meetkai/functionary-small-v3.2",
    "functionary_v31": "meetkai/functionary-medium-v3.1",
    "functionary_v2": "meetkai/functionary-small-v2.4",
    "hyperclovax": "naver-hyperclovax/HyperCLOVAX-SEED-Think-32B",
    "hyperclovax_14b": "naver-hyperclovax/HyperCLOVAX-SEED-Think-14B",
    "openthinker": "open-thoughts/OpenThinker2-32B openthinker:7b",
    "mirothinker": "miromind-ai/MiroThinker-v1.5-30B MiroThinker-v1.0-72B.Q4_K_M",
    "cwm": "facebook/cwm",
    "dots": "rednote-hilab/dots.llm1.inst",
    "telechat4": "TeleAI/TeleChat4 XingChen4-29B-A4B",
    "auto": (
        "gpt-4o gpt-5-mini claude-sonnet-4-5 gemini-3-pro-preview grok-4-fast "
        "deepseek-chat deepseek-reasoner kimi-latest openrouter/auto "
        "moonshot-v1-32k glm-zero qwen-plus qwen-max gemma3:27b "
        "nvidia/llama-3.3-nemotron-super-49b-v1.5 "
        "nvidia/Llama-3_1-Nemotron-Ultra-253B-v1 phi-4 phi3 yi-large baichuan "
        "arcee-ai/trinity-mini:free"
    ),
}


@pytest.mark.parametrize(
    ("name", "family"), [(n, f) for f, names in NAMES.items() for n in names.split()]
)
def test_a_name_tells_the_dialect_however_it_is_spelt(name: str, family: str) -> None:
    assert dialect_of_name(name) == family
    assert dialect_of_name(name.upper()) == family
