; A default procedure supplies missing values. One that captures variables keeps its hash from being
; shared until it is isolated.
(define squares (hash))
(hash-set-default! squares (lambda (hash key) (hash-set! hash key (* key key))))
(assert-equal 49 (hash-ref squares 7))
(assert-equal 1 (hash-count squares))

(defconst PLAIN (hash-set-default! {:a 1} (lambda (hash key) (list 'no key))))
(assert-equal '((no :b) 1) (take (ractor (list (hash-ref PLAIN :b) (hash-ref PLAIN :a)))))
(assert-equal 'C (state PLAIN))

(defconst CAPTURING
  (hash-set-default! {} (let ((answer [42])) (lambda (hash key) answer))))
(let ((condition (assert-error 'isolation-error (take (ractor CAPTURING)))))
  (assert-equal 'needs-prepare (condition-cause condition))
  (assert-equal "CAPTURING.default" (condition-path condition)))
(defconst CAPTURING (make-shareable CAPTURING))
(assert-equal [42] (take (ractor (hash-ref CAPTURING :anything))))
