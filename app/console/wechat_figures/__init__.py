"""The pages about figures: WeChat's beside ours."""
