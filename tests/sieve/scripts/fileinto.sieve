require "fileinto"; fileinto "Box";
